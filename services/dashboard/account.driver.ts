/** For the browser test of accounts: mail as it comes, another site's page, and passkeys answered as one likes. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { MailSink } from "@astralog/local";
import type { Page } from "playwright-core";
import type { Authenticator } from "./browser.driver.ts";

/** The link of the newest mail to somebody, once there are more than `count` that lead to such a page. */
export const mailedLink = async (sink: MailSink, to: string, count: number, page: string): Promise<string> => {
  for (let tries = 0; tries < 400; tries++) {
    const links = sink.mails().filter((mail) => mail.to.includes(to) && mail.text.includes(`${page}#`));
    if (links.length > count) return /https?:\S+#\S+/.exec(links[0]?.text ?? "")?.[0] ?? "";
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("no mail came");
};

/**
 * Another origin that is the same site, so that cookies are sent: ports do not tell sites apart. /form posts itself to
 * where one signs out of `origin`.
 */
export const startElsewhere = async (origin: string): Promise<{ url: string; close(): void }> => {
  const action = `${origin}/api/v1/auth/sign-out`;
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(
      request.url === "/form"
        ? `<title>.</title><form method="post" enctype="text/plain" action="${action}"><input name='{"a":"' value='"}'></form><script>document.forms[0].submit()</script>`
        : "<title>.</title>",
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

const b64 =
  "const b64 = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\\+/g,'-').replace(/\\//g,'_').replace(/=/g,'');";

/** Signs a challenge of the api on whatever page that is, asking the device as it likes. */
export const assertion = (where: Page, options: { challenge: string }, userVerification: string): Promise<unknown> =>
  where.evaluate(`(async () => { ${b64}
    const challenge = Uint8Array.from(atob(${JSON.stringify(options.challenge)}.replace(/-/g,'+').replace(/_/g,'/')), (c) => c.charCodeAt(0));
    const it = await navigator.credentials.get({ publicKey: { challenge, rpId: "localhost", userVerification: ${JSON.stringify(userVerification)} } });
    const r = it.response;
    return { id: it.id, rawId: b64(it.rawId), type: it.type, response: { clientDataJSON: b64(r.clientDataJSON),
      authenticatorData: b64(r.authenticatorData), signature: b64(r.signature), userHandle: b64(r.userHandle) } };
  })()`);

/** Makes `theirs` hold a copy of the only passkey of `device`, with a count of its own. */
export const copyPasskey = async (device: Authenticator, theirs: Authenticator, more: number): Promise<void> => {
  const [credential] = await device.credentials();
  await theirs.session.send("WebAuthn.clearCredentials", { authenticatorId: theirs.id });
  await theirs.session.send("WebAuthn.addCredential", {
    authenticatorId: theirs.id,
    // biome-ignore lint/suspicious/noExplicitAny: the whole of what the device gave, private key included.
    credential: { ...(credential as any), signCount: Math.max(0, (credential?.signCount ?? 0) + more) },
  });
};

/** Whether the device verifies its user. */
export const verifies = (device: Authenticator, isUserVerified: boolean) =>
  device.session.send("WebAuthn.setUserVerified", { authenticatorId: device.id, isUserVerified });
