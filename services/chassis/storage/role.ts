/**
 * A role in a customer's AWS account, taken instead of keys: STS gives a session for an hour, which may do no more than the
 * archive needs in that bucket whatever the role may, and is renewed before it ends. What customers allow is this
 * installation's own identity, together with their organization's id, so that nobody can have us take another's role.
 */
import { bucketPolicy, type StorageKeys, type StorageSettings } from "@astralog/schemas/storage";
import { Fault } from "../fault.ts";
import type { Outgoing } from "../outgoing.ts";
import { dialects, sign } from "./sign.ts";

/** Asked for each use: what it gives may end. */
export type KeySource = () => Promise<StorageKeys>;

export interface Identity {
  readonly access_key_id: string;
  readonly secret_access_key: string;
  /** Instead of AWS' own server of the bucket's region. */
  readonly url: string;
}

const sessionSeconds = 3_600;
/** A session that has less left is renewed; of a short one, half. */
const marginMs = 300_000;
const timeoutMs = 10_000;

const textOf = (xml: string, tag: string): string => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1] ?? "";

interface Session {
  readonly keys: StorageKeys;
  readonly renewAt: number;
  readonly endsAt: number;
}

export const createRoles = ({ identity, outgoing }: { identity: Identity; outgoing: Pick<Outgoing, "fetch"> }) => {
  const sessions = new Map<string, Session>();
  const asking = new Map<string, Promise<Session>>();

  const assume = async (tenant: string, settings: StorageSettings & { role_arn: string }): Promise<Session> => {
    const { role_arn: arn, region, bucket, prefix } = settings;
    if (identity.access_key_id === "")
      throw new Fault("storage_refused", "This installation has no identity that could take a role.");
    const url = new URL(identity.url === "" ? `https://sts.${region}.amazonaws.com/` : identity.url);
    const body = new URLSearchParams({
      ...{ Action: "AssumeRole", Version: "2011-06-15", RoleArn: arn, ExternalId: tenant },
      ...{ RoleSessionName: `astralog-${tenant}`.slice(0, 64), DurationSeconds: String(sessionSeconds) },
      Policy: JSON.stringify(bucketPolicy(bucket, prefix, { keys: true })),
    }).toString();
    const headers = sign(
      {
        method: "POST",
        url,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: Buffer.from(body),
      },
      identity,
      { region, dialect: { ...dialects.aws, service: "sts" }, now: new Date() },
    );
    const response = await outgoing
      .fetch(url.href, { method: "POST", headers, body, timeoutMs })
      .catch((cause: unknown) => {
        if (cause instanceof Fault && cause.code === "address_refused") throw cause;
        throw new Fault("storage_failed", "AWS' security token service does not answer.", { retriable: true, cause });
      });
    const text = await response.text();
    if (!response.ok) {
      const code = textOf(text, "Code").replace(/\W/g, "").slice(0, 60) || String(response.status);
      if (response.status >= 500 || response.status === 429 || code === "Throttling")
        throw new Fault("storage_failed", `The role could not be taken: ${code}.`, { retriable: true });
      throw new Fault(
        "storage_refused",
        `The role may not be taken: ${code}. Its trust policy must name this installation and the external id ${tenant}.`,
      );
    }
    const keys = {
      access_key_id: textOf(text, "AccessKeyId"),
      secret_access_key: textOf(text, "SecretAccessKey"),
      session_token: textOf(text, "SessionToken"),
    };
    const endsAt = Date.parse(textOf(text, "Expiration"));
    if (keys.access_key_id === "" || keys.session_token === "" || Number.isNaN(endsAt))
      throw new Fault("storage_failed", "What gives sessions gave none.", { retriable: true });
    const left = endsAt - Date.now();
    return { keys, endsAt, renewAt: endsAt - Math.min(marginMs, left / 2) };
  };

  /** Faults: `storage_refused`, `storage_failed` (retriable). One that cannot be renewed is used to its end. */
  const take = async (tenant: string, settings: StorageSettings & { role_arn: string }): Promise<StorageKeys> => {
    const key = JSON.stringify([tenant, settings.role_arn, settings.bucket, settings.prefix, settings.region]);
    const known = sessions.get(key);
    if (known !== undefined && Date.now() < known.renewAt) return known.keys;
    const fresh = asking.get(key) ?? assume(tenant, settings).finally(() => asking.delete(key));
    asking.set(key, fresh);
    try {
      const session = await fresh;
      sessions.set(key, session);
      return session.keys;
    } catch (error) {
      if (known !== undefined && Date.now() < known.endsAt) return known.keys;
      sessions.delete(key);
      throw error;
    }
  };

  return {
    /** What opens a tenant's bucket: the role, where there is one, else the keys. */
    sourceOf: (tenant: string, settings: StorageSettings, keys: StorageKeys): KeySource => {
      const { role_arn = "" } = settings;
      return role_arn === "" ? () => Promise.resolve(keys) : () => take(tenant, { ...settings, role_arn });
    },
  };
};

export type Roles = ReturnType<typeof createRoles>;
