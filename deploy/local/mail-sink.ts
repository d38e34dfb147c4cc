/**
 * Where the embedded stack's mail ends: a real SMTP server that takes everything and sends nothing on, and a page to read
 * it. Loopback only; the newest mails are kept, in memory.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { listPage, mailPage, pageHeaders } from "./mail-pages.ts";

export interface KeptMail {
  readonly id: string;
  readonly at: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface MailSink {
  /** smtp://…, as in MAIL_URL. */
  readonly smtp: string;
  /** The page; `mails.json` below it gives the same to scripts. */
  readonly page: string;
  /** Newest first. */
  mails(): readonly KeptMail[];
  close(): Promise<void>;
}

const mostMails = 500;
const largestMail = 10 * 1024 * 1024;
const host = "127.0.0.1";

export const startMailSink = async (ports: { smtp: number; page: number }): Promise<MailSink> => {
  const mails: KeptMail[] = [];
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    size: largestMail,
    logger: false,
    onAuth: (_, __, done) => done(null, { user: "anybody" }),
    onData: (stream, { envelope }, done) => {
      simpleParser(stream).then(
        (mail) => {
          mails.unshift({
            id: randomUUID(),
            at: new Date().toISOString(),
            from: mail.from?.text ?? "",
            // Whom it was sent to, whatever its own lines say.
            to: envelope.rcptTo.map(({ address }) => address),
            subject: mail.subject ?? "",
            text: mail.text ?? "",
            html: mail.html || "",
          });
          mails.length = Math.min(mails.length, mostMails);
          done();
        },
        (error: Error) => done(error),
      );
    },
  });
  // A client that goes away in the middle of a mail is no reason to end.
  smtp.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    smtp.server.once("error", reject);
    smtp.listen(ports.smtp, host, resolve);
  });

  const page = createServer((request, response) => {
    const answer = (status: number, body: string, type = "text/html"): void => {
      response.writeHead(status, { ...pageHeaders, "content-type": `${type}; charset=utf-8` });
      response.end(body);
    };
    // A page elsewhere may have a name that leads here; it shall not read the mail.
    const name = (request.headers.host ?? "").replace(/:\d+$/, "");
    if (name !== host && name !== "localhost") return answer(403, "Only this machine reads the mail.", "text/plain");
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/") return answer(200, listPage(mails));
    if (pathname === "/mails.json") return answer(200, JSON.stringify(mails), "application/json");
    const mail = mails.find(({ id }) => pathname === `/mails/${id}`);
    return mail === undefined ? answer(404, "There is no such mail.", "text/plain") : answer(200, mailPage(mail));
  });
  await new Promise<void>((resolve, reject) => {
    page.once("error", reject);
    page.listen(ports.page, host, resolve);
  });
  const portOf = (server: { address(): AddressInfo | string | null }): number => (server.address() as AddressInfo).port;
  return {
    smtp: `smtp://${host}:${portOf(smtp.server)}`,
    page: `http://${host}:${portOf(page)}`,
    mails: () => mails,
    close: async () => {
      page.closeAllConnections();
      await Promise.all([
        new Promise<void>((resolve) => page.close(() => resolve())),
        new Promise<void>((resolve) => smtp.close(resolve)),
      ]);
    },
  };
};
