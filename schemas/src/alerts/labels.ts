/** Labels of rules and incidents, and what finds them: silences, maintenance windows and routes. */
import { z } from "zod";

const labelName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/, "must be 1 to 128 of letters, digits, _ . - and begin with a letter");

const maxLabels = 32;

export const labelsShape = z
  .record(labelName, z.string().max(256, "must have 256 characters at most"))
  .refine((labels) => Object.keys(labels).length <= maxLabels, `may have ${maxLabels} labels`);

/** All of a list must hold. A label that is not there is the empty text. */
export const matcherShape = z.strictObject({
  label: labelName,
  op: z.enum(["=", "!=", "in", "not in"], "must be =, !=, in or not in").default("="),
  values: z.array(z.string().max(256)).min(1).max(100),
});
export type Matcher = z.output<typeof matcherShape>;

export type Labels = Readonly<Record<string, string>>;

/**
 * What an incident is found by: the rule's labels, the group's fields under their names, and `rule` and `severity`. The
 * group's win over the rule's, for they say what happened.
 */
export const incidentLabels = (rule: { id: string; severity: string; labels: Labels }, group: Labels): Labels => ({
  ...rule.labels,
  ...group,
  rule: rule.id,
  severity: rule.severity,
});
