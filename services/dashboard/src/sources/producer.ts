/** A producer as the api has it, and the command that writes as one. */
export interface Producer {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly username: string;
  readonly topic: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  /** Why Kafka refuses it for now. */
  readonly paused: "source_disabled" | "over_plan" | "quota_exhausted" | null;
}

/** `password` is there this once. */
export interface MadeProducer extends Producer {
  readonly password: string;
  readonly schema_id: number;
  readonly brokers: string;
  readonly tls: boolean;
  readonly registry: string;
}

/** kcat with librdkafka 2.6.1 or newer. What the server says are plain words; none needs quotes. */
export const kcatOf = ({ brokers, topic, tls, username, password }: MadeProducer): string =>
  [
    `echo '{"message":"hello from kafka"}' |`,
    `  kcat -P -b ${brokers} -t ${topic}`,
    `  -X security.protocol=${tls ? "SASL_SSL" : "SASL_PLAINTEXT"} -X sasl.mechanism=SCRAM-SHA-256`,
    ...(tls ? ["  -X ssl.ca.location=ca.pem"] : []),
    `  -X sasl.username=${username}`,
    `  -X sasl.password=${password}`,
  ].join(" \\\n");
