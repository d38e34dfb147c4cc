/** What people have said about alerts, by tenant: the rules that are judged, and actions and destinations from their topics. */
import {
  type ControlTable,
  createControlTable,
  type KafkaClient,
  type Log,
  type Registry,
  type TableOptions,
} from "@astralog/chassis";
import { type AlertActionRecord, type AlertDestinationRecord, type RecordName, topics } from "@astralog/schemas";
import type { Destination } from "@astralog/schemas/alerts/index";
import type { ActiveRule, Rules } from "../rules.ts";

export interface Control {
  rule(tenant: string, id: string): ActiveRule | undefined;
  actions(tenant: string): readonly AlertActionRecord[];
  destination(tenant: string, id: string): Destination | undefined;
  /** Told of every rule that names no destination. */
  standard(tenant: string): readonly string[];
  /** Grows with each change. */
  readonly revision: number;
  readonly complete: boolean;
  close(): Promise<void>;
}

/** Values by tenant, then by id. */
const byTenant = <V>() => {
  const tenants = new Map<string, Map<string, V>>();
  return {
    of: (tenant: string): ReadonlyMap<string, V> => tenants.get(tenant) ?? new Map<string, V>(),
    put: (key: string, value: V | undefined): void => {
      const [tenant = "", id = ""] = key.split("/");
      const known = tenants.get(tenant) ?? new Map<string, V>();
      if (value === undefined) known.delete(id);
      else known.set(id, value);
      if (known.size === 0) tenants.delete(tenant);
      else tenants.set(tenant, known);
    },
  };
};

export const createControl = async (deps: {
  kafka: KafkaClient;
  registry: Registry;
  rules: Pick<Rules, "get" | "revision">;
  log: Log;
}): Promise<Control> => {
  const { kafka, registry, rules, log } = deps;
  const actions = byTenant<AlertActionRecord>();
  const destinations = byTenant<Destination>();
  let revision = 0;

  const follow = <N extends RecordName>(topic: TableOptions<N>["topic"], onChange: TableOptions<N>["onChange"] & {}) =>
    createControlTable(
      kafka,
      { log, registry },
      {
        ...{ principal: "alerter", topic },
        onChange: (key, value) => {
          onChange(key, value);
          revision += 1;
        },
      },
    );
  const tables: Pick<ControlTable<unknown>, "complete" | "close">[] = await Promise.all([
    follow(topics.alertActions, (key, record) => actions.put(key, record)),
    follow(topics.alertDestinations, (key, record?: AlertDestinationRecord) =>
      destinations.put(key, record === undefined ? undefined : (JSON.parse(record.definition) as Destination)),
    ),
  ]);

  return {
    rule: (tenant, id) => rules.get(`${tenant}/${id}`),
    actions: (tenant) => [...actions.of(tenant).values()],
    destination: (tenant, id) => destinations.of(tenant).get(id),
    standard: (tenant) => [...destinations.of(tenant).values()].filter(({ standard }) => standard).map(({ id }) => id),
    get revision() {
      return revision + rules.revision;
    },
    get complete() {
      return tables.every((one) => one.complete);
    },
    close: async () => void (await Promise.all(tables.map((one) => one.close()))),
  };
};
