/** The way to the mail server that the operator named: by SMTP, with limits in time, and without reading files or addresses. */
import { createTransport } from "nodemailer";

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface MailTransport {
  /** Rejects with what the server said, as nodemailer has it: `code` and `responseCode` may be told, its text may not. */
  send(mail: Mail, headers?: Readonly<Record<string, string>>): Promise<void>;
  close(): void;
}

const sendMs = 20_000;

/** `url`: smtp:// or smtps://; undefined when it is empty. */
export const createMailTransport = (url: string, from: string): MailTransport | undefined => {
  if (url === "") return undefined;
  const transport = createTransport(
    { url, connectionTimeout: sendMs, greetingTimeout: sendMs, socketTimeout: sendMs, dnsTimeout: sendMs },
    { from, disableFileAccess: true, disableUrlAccess: true },
  );
  return {
    send: async (mail, headers = {}) => void (await transport.sendMail({ ...mail, headers })),
    close: () => transport.close(),
  };
};
