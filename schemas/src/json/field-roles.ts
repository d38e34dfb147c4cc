/**
 * Which member names mean time, message, level and so on. The dotted path decides, so `{"service":{"name":"x"}}` and
 * `{"service.name":"x"}` mean the same. When an event has several names of one field, the first of the list whose value
 * fits is taken; the others stay attributes, and so does a value that does not fit: nothing is lost by a guess.
 */

/** The known fields, in the order of their slots. */
export const fields = ["time", "message", "level", "service", "host", "trace_id", "span_id"] as const;
export type Field = (typeof fields)[number];

const aliases: Record<Field, readonly string[]> = {
  time: ["timestamp", "@timestamp", "time", "ts", "date"],
  message: ["message", "msg", "body", "log", "event"],
  level: [
    "level",
    "severity_number",
    "severityNumber",
    "severity",
    "lvl",
    "loglevel",
    "log.level",
    "severity_text",
    "severityText",
    "levelname",
    "levelno",
    "syslog.severity.code",
    "PRIORITY",
  ],
  service: ["service", "service.name", "service_name", "serviceName", "app", "app.name", "application"],
  host: ["host", "hostname", "host.name", "host_name"],
  trace_id: ["trace_id", "traceId", "trace.id", "traceid", "trace_context.trace_id"],
  span_id: ["span_id", "spanId", "span.id", "spanid", "trace_context.span_id"],
};

/** Slots per field: no list of aliases is longer. A role is field × ranks + rank. */
export const ranks = 16;

/** Role by dotted path. */
export type Roles = ReadonlyMap<string, number>;

export const roleOf = (roles: Roles, path: string): number => roles.get(path) ?? -1;

/** The roles when a request names its own time, message or level field: that name alone then means the field. */
export const makeRoles = (named: Partial<Record<Field, string>> = {}): Roles => {
  const roles = new Map<string, number>();
  fields.forEach((field, slot) => {
    const own = named[field];
    (own === undefined ? aliases[field] : [own]).forEach((path, rank) => {
      // A name given by the request wins over the same name as another field's alias.
      if (own !== undefined || !Object.values(named).includes(path)) roles.set(path, slot * ranks + rank);
    });
  });
  return roles;
};
