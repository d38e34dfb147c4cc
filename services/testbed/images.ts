/** The images of the four servers; docker-compose.kafka.yml names the same ones, and a test holds them equal. */
export const images = {
  kafka: "apache/kafka:4.3.1",
  registry: "apicurio/apicurio-registry:3.0.9",
  clickhouse: "clickhouse/clickhouse-server:26.7",
  postgres: "postgres:18.4",
} as const;
