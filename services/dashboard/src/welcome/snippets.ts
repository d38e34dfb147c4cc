/** The ways to send a first event, with the real address and key in them. */
export interface Snippet {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly text: string;
}

const agentNote = "Takes what the agent collects already; add this output to its configuration.";

/** `url` without a slash at its end. */
export const snippetsFor = (url: string, key: string): readonly Snippet[] => [
  {
    id: "curl",
    name: "curl",
    about: "From any shell; an object, an array, or lines of JSON.",
    text: `curl ${url}/v1/events \\
  -H 'Authorization: Bearer ${key}' \\
  -H 'Content-Type: application/json' \\
  -d '{"message": "Hello, Astralog", "level": "info", "service": "first-steps"}'`,
  },
  {
    id: "node",
    name: "Node",
    about: "Without a package. An answer of 2xx means that the event is safe.",
    text: `const response = await fetch("${url}/v1/events", {
  method: "POST",
  headers: {
    Authorization: "Bearer ${key}",
    "Content-Type": "application/json",
  },
  body: JSON.stringify({
    message: "Hello, Astralog",
    level: "info",
    service: "first-steps",
  }),
});
console.log(response.status, await response.json());`,
  },
  {
    id: "otel",
    name: "OpenTelemetry",
    about: "An exporter of the Collector; SDKs take the same address and header.",
    text: `exporters:
  otlphttp/astralog:
    logs_endpoint: ${url}/v1/logs
    headers:
      Authorization: Bearer ${key}
service:
  pipelines:
    logs:
      receivers: [otlp]
      exporters: [otlphttp/astralog]`,
  },
  {
    id: "vector",
    name: "Vector",
    about: agentNote,
    text: `sinks:
  astralog:
    type: http
    inputs: ["*"]
    uri: ${url}/v1/events
    encoding:
      codec: json
    framing:
      method: newline_delimited
    compression: gzip
    auth:
      strategy: bearer
      token: ${key}`,
  },
  {
    id: "fluent-bit",
    name: "Fluent Bit",
    about: agentNote,
    text: `[OUTPUT]
    Name         http
    Match        *
    Host         ${hostOf(url)}
    Port         ${portOf(url)}
    URI          /v1/events
    Format       json_lines
    Json_date_key timestamp
    Json_date_format iso8601
    Compress     gzip
    TLS          ${url.startsWith("https:") ? "On" : "Off"}
    Header       Authorization Bearer ${key}`,
  },
];

const hostOf = (url: string): string => new URL(url).hostname;
const portOf = (url: string): string => {
  const { port, protocol } = new URL(url);
  return port || (protocol === "https:" ? "443" : "80");
};
