/** For the tests: a security token service that checks signatures and external ids, and gives sessions that end. */
import { createHmac, hash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Asked {
  readonly role: string;
  readonly externalId: string;
  readonly policy: string;
}

const hmac = (key: string | Buffer, of: string): Buffer => createHmac("sha256", key).update(of).digest();

export const startSts = async (
  caller: { id: string; secret: string },
  gives: () => { id: string; secret: string; seconds: number },
) => {
  const asked: Asked[] = [];
  let refuse = false;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const said = new URLSearchParams(body);
      const of = (name: string): string => said.get(name) ?? "";
      const answer = (status: number, xml: string): void => void response.writeHead(status).end(xml);
      const [, scope = "", names = "", signature] =
        /Credential=[^/]+\/(\S+), SignedHeaders=(\S+), Signature=(\w+)/.exec(request.headers.authorization ?? "") ?? [];
      const canonical = [
        ...["POST", "/", ""],
        ...names.split(";").map((name) => `${name}:${String(request.headers[name])}`),
        ...["", names, hash("sha256", body)],
      ].join("\n");
      const toSign = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, hash("sha256", canonical)].join("\n");
      const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${caller.secret}`);
      if (hmac(key, toSign).toString("hex") !== signature || scope.split("/")[2] !== "sts")
        return answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>");
      if (refuse) return answer(403, "<Error><Code>AccessDenied</Code><Message>secret words</Message></Error>");
      asked.push({ role: of("RoleArn"), externalId: of("ExternalId"), policy: of("Policy") });
      const { id, secret, seconds } = gives();
      const ends = new Date(Date.now() + seconds * 1_000).toISOString();
      return answer(
        200,
        `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${id}</AccessKeyId>
          <SecretAccessKey>${secret}</SecretAccessKey><SessionToken>session-${asked.length}</SessionToken>
          <Expiration>${ends}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
      );
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    refuse: (now: boolean): void => void (refuse = now),
    close: (): void => {
      server.close();
      server.closeAllConnections();
    },
  };
};
