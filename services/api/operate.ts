/**
 * What only the platform's operator may do, on a machine that has its secrets:
 *   operate.ts plan  --tenant ID [--plan NAME] [--set LIMIT=VALUE …] [--clear]   shows or changes a tenant's plan
 *   operate.ts staff [--add EMAIL | --remove EMAIL]                              lists or changes who is staff
 *   operate.ts person --email EMAIL [--disable | --enable]                       shows, closes or opens an account
 * Prints one JSON object on standard output. Each change is in the audit trail of whom it concerns.
 */
import { parseArgs } from "node:util";
import { Fault, field, loadConfig, oneShot } from "@astralog/chassis";
import { createAuditSigner } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { listStaff, setStaff } from "./access/staff.ts";
import { byOperator } from "./audit/audit-trail.ts";
import { setDisabled } from "./people/disabling.ts";
import { findPersonByEmail } from "./people/people.ts";
import { planName, planOverrides } from "./plans/plan-inputs.ts";
import { readPlan, setPlan } from "./plans/tenant-plans.ts";

const shape = {
  POSTGRES_URL: field.secret("postgres://user:password@host:port/database."),
  AUDIT_SIGNING_KEY: field.key256("Seed of the Ed25519 key that signs the audit trails' heads; the api's."),
};

/** `daily_bytes=1000000`, `features=native_producers,own_storage`. */
const readOverrides = (given: readonly string[]): unknown =>
  Object.fromEntries(
    given.map((text) => {
      const [name = "", value = ""] = text.split("=", 2);
      if (name === "features") return [name, value.split(",").filter((one) => one !== "")];
      return [name, value === "" ? Number.NaN : Number(value)];
    }),
  );

await oneShot("operate", async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tenant: { type: "string" },
      plan: { type: "string" },
      set: { type: "string", multiple: true },
      clear: { type: "boolean", default: false },
      add: { type: "string" },
      remove: { type: "string" },
      email: { type: "string" },
      disable: { type: "boolean", default: false },
      enable: { type: "boolean", default: false },
    },
  });
  const config = loadConfig(shape);
  const by = byOperator(createAuditSigner(config.AUDIT_SIGNING_KEY), "operate");
  const db = connectPostgres(config.POSTGRES_URL, { max: 2 });
  const plan = async () => {
    if (values.tenant === undefined) throw new Fault("invalid_request", "--tenant is the id of an organization, tn_….");
    const known = await readPlan(db, values.tenant);
    const name = values.plan === undefined ? undefined : planName.parse(values.plan);
    const kept = values.clear ? {} : known.overrides;
    const overrides = planOverrides.parse({ ...kept, ...(readOverrides(values.set ?? []) as object) });
    if (name === undefined && values.set === undefined && !values.clear) return known;
    return setPlan(db, values.tenant, { plan: name, overrides }, by);
  };
  const staff = async () => {
    if (values.add !== undefined) await setStaff(db, values.add, true, by);
    if (values.remove !== undefined) await setStaff(db, values.remove, false, by);
    return { staff: await listStaff(db) };
  };
  const person = async () => {
    const { email, disable, enable } = values;
    if (email === undefined) throw new Fault("invalid_request", "--email is the address the person signs in with.");
    if (disable && enable) throw new Fault("invalid_request", "Give --disable or --enable, not both.");
    if (disable || enable) await setDisabled(db, email, disable, by);
    const found = await findPersonByEmail(db, email);
    if (found === undefined) throw new Fault("not_found", `Nobody signs in as ${email}.`);
    return { person: found.id, email: found.email, disabled_at: found.disabled_at };
  };
  try {
    const command = { plan, staff, person }[positionals[0] ?? ""];
    if (command === undefined) throw new Fault("invalid_request", "The commands are: plan, staff, person.");
    process.stdout.write(`${JSON.stringify(await command())}\n`);
  } finally {
    await db.destroy();
  }
});
