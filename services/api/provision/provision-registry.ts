/** Registers this version's schemas under `<topic>-value`, each subject held to BACKWARD_TRANSITIVE. */
import { Fault } from "@astralog/chassis";
import { type RecordName, schemas, type Topic, topicName, topics } from "@astralog/schemas";

const compatibility = "BACKWARD_TRANSITIVE";

export interface RegistryAccess {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/** Faults as registerSchema has them. */
export const provisionSchemas = async (
  access: RegistryAccess,
  { prefix, say }: { prefix: string; say(line: string): void },
): Promise<void> => {
  for (const topic of Object.values(topics) as Topic[]) {
    const id = await registerSchema(access, topicName(topic, prefix), topic.value);
    say(`schema ${topicName(topic, prefix)}-value: id ${id}, ${compatibility}`);
  }
};

/**
 * Returns the id of this version's schema under the topic's subject.
 * Faults: `schema_incompatible` when a subject's older versions could not be read any more, `registry_unavailable`.
 */
export const registerSchema = async (access: RegistryAccess, topic: string, record: RecordName): Promise<number> => {
  const call = createCall(access);
  const subject = `${topic}-value`;
  const path = encodeURIComponent(subject);
  const body = { schemaType: "AVRO", schema: JSON.stringify(schemas[record]) };
  const hold = () => call("PUT", `/config/${path}`, { compatibility });
  // The rule comes first, so that it judges this version too; a subject without a version may not take one yet.
  const held = (await hold()).ok;
  const registered = await call("POST", `/subjects/${path}/versions`, body);
  if (registered.status === 409 || registered.status === 422) {
    throw new Fault("schema_incompatible", `${subject}: this version's schema would break its readers.`, {
      cause: registered.text,
    });
  }
  if (!registered.ok) throw unavailable(subject, registered.status);
  if (!held) {
    const late = await hold();
    if (!late.ok) throw unavailable(subject, late.status);
  }
  return (JSON.parse(registered.text) as { id: number }).id;
};

const unavailable = (subject: string, status: number): Fault =>
  new Fault("registry_unavailable", `${subject}: the registry answered ${status}.`, { retriable: true });

const createCall = ({ url, username, password }: RegistryAccess) => {
  const headers: Record<string, string> = { "content-type": "application/vnd.schemaregistry.v1+json" };
  if (username !== "") headers.authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  return async (method: string, path: string, body: unknown) => {
    try {
      const response = await fetch(url.replace(/\/$/, "") + path, {
        method,
        headers,
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(15_000),
      });
      return { ok: response.ok, status: response.status, text: await response.text() };
    } catch (error) {
      throw new Fault("registry_unavailable", "The registry did not answer.", { retriable: true, cause: error });
    }
  };
};
