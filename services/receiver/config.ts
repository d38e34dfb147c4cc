/** The receiver's configuration; README.md has it as a table. */
import { isIP } from "node:net";
import { field, kafkaShape, parseRange, type Shape } from "@astralog/chassis";

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));

export const shape = {
  ...kafkaShape,
  HTTPS_HOST: field.text("Address that HTTPS listens on.", "0.0.0.0"),
  HTTPS_PORT: field.port("Port of HTTPS; 0 takes a free one."),
  TLS_CERT_FILE: field.text("PEM file of the certificate and its chain."),
  TLS_KEY_FILE: field.text("PEM file of the certificate's private key."),
  HTTP_HOST: field
    .text("Address that plain HTTP listens on; loopback only, for agents on this machine.", "127.0.0.1")
    .refine((host) => isLoopback(String(host)), "must be a loopback address: keys do not travel unencrypted"),
  HTTP_PORT: field.port("Port of plain HTTP; 0 turns it off.", "0"),
  MAX_BODY_BYTES: field.bytes("Most bytes of one body, as sent and inflated.", "64MiB"),
  MAX_IN_FLIGHT_BYTES: field.bytes("Most bytes of all requests that are not answered yet; beyond it 503.", "96MiB"),
  LINGER_MS: field.integer("Milliseconds a record waits for others before it is sent.", { min: 0, max: 1_000 }, "3"),
  ACK_TIMEOUT_MS: field.integer("Milliseconds to wait for Kafka before 503.", { min: 100, max: 120_000 }, "15000"),
  STALL_MS: field.integer("Milliseconds without a byte of a body before 408.", { min: 100, max: 120_000 }, "15000"),
  MAX_CONNECTIONS: field.integer("Most connections per listener.", { min: 1, max: 1_000_000 }, "10000"),
  TRUSTED_PROXIES: field
    .list("CIDR blocks of proxies whose X-Forwarded-For is believed, comma separated.", "")
    .refine((blocks) => (blocks as string[]).every((block) => parseRange(block) !== undefined), "must be CIDR blocks"),
  KEY_USES_SECONDS: field.integer("Seconds between telling which keys were used.", { min: 1, max: 3600 }, "60"),
  INSTANCE: field.text("Name of this process in its Kafka client id.", "receiver"),
} satisfies Shape;
