/** Connects a ClickHouse server in three steps: where it is, what its user may do, what is kept there. */
import { leastClickHouse, type OwnMode, ownModes, ownSetupSql } from "@astralog/schemas/own-clickhouse";
import { useState } from "react";
import { ActDialog, useActs } from "../account/acts.tsx";
import { NameField } from "../account/fields.tsx";
import { post } from "../api/client.ts";
import { Field, Input } from "../ui/controls.tsx";
import { Snippet } from "../ui/snippet.tsx";
import { modeWords } from "./servers-data.ts";

const steps = ["Where it is", "What opens it", "What is kept there"] as const;

const empty = {
  ...{ name: "warehouse", url: "", database: "astralog", cluster: "" },
  ...{ username: "astralog", password: "", mode: "beside" as OwnMode },
};

export const modeHints: Readonly<Record<OwnMode, string>> = {
  off: "The tables are made and can be searched; events are written once you choose so.",
  beside: "Events are written to both. What Kafka still has, up to four days, comes first.",
  instead:
    "Events live on your server alone, and every search goes there. While it is down, searches fail and new events wait in Kafka, four days at most.",
};

export const ModeField = ({ value, onChange }: { value: OwnMode; onChange: (mode: OwnMode) => void }) => (
  <Field label="Events are written" hint={modeHints[value]}>
    {(ids) => (
      <select {...ids} className="input" value={value} onChange={(event) => onChange(event.target.value as OwnMode)}>
        {ownModes.map((one) => (
          <option key={one} value={one}>
            {modeWords[one]}
          </option>
        ))}
      </select>
    )}
  </Field>
);

export const NewServer = ({ onClose }: { onClose: () => void }) => {
  const [step, setStep] = useState(0);
  const [given, setGiven] = useState(empty);
  const acts = useActs("servers", "servers-status", "places");
  const set = (changes: Partial<typeof empty>): void => setGiven((before) => ({ ...before, ...changes }));
  const { name, url, database, cluster, username, password, mode } = given;
  const complete = [name.trim() !== "" && url !== "" && database !== "", username !== "" && password !== "", true];
  const last = step === steps.length - 1;
  const text = (label: string, key: keyof typeof empty, more: { hint?: string; type?: string } = {}) => (
    <Field label={label} hint={more.hint}>
      {(ids) => (
        <Input
          {...ids}
          className="mono"
          type={more.type ?? "text"}
          autoComplete="off"
          value={given[key]}
          onChange={(event) => set({ [key]: event.target.value.trim() })}
        />
      )}
    </Field>
  );
  return (
    <ActDialog
      title="Connect a ClickHouse server"
      about={`Step ${step + 1} of ${steps.length}: ${steps[step]}`}
      acts={acts}
      wide
      submit={last ? "Try it and connect" : "Next"}
      keep={step === 0 ? "Cancel" : "Back"}
      disabled={complete[step] !== true}
      work={async () => {
        if (!last) return false;
        await post("/storage/clickhouse", { name: name.trim(), url, database, cluster, username, password, mode });
        return true;
      }}
      onDone={(connected) => (connected ? onClose() : setStep(step + 1))}
      onClose={() => (step === 0 ? onClose() : setStep(step - 1))}
    >
      {step === 0 ? (
        <>
          <NameField value={name} onChange={(value) => set({ name: value })} />
          {text("Address", "url", {
            hint: `https://clickhouse.example.com:8443, without a path; ClickHouse ${leastClickHouse.join(".")} or later`,
          })}
          {text("Database", "database", { hint: "Our tables are made in it; it should have no others" })}
          {text("Cluster", "cluster", {
            hint: "As remote_servers names it: tables are replicated and distributed. Empty: one server",
          })}
        </>
      ) : null}
      {step === 1 ? (
        <>
          {text("User", "username")}
          <p className="soft small">
            Run this on the server, with a password of your own. It may do no more than that:
          </p>
          <Snippet text={`${ownSetupSql({ username, database, cluster }).join(";\n")};`} />
          {text("Password", "password", {
            type: "password",
            hint: "It is sealed and never shown again, to nobody",
          })}
        </>
      ) : null}
      {last ? (
        <>
          <ModeField value={mode} onChange={(value) => set({ mode: value })} />
          <p className="soft small">
            Before it is kept, the server is asked for its version and for each right, and our tables are made. What is
            lacking is named, with the statement that grants it.
          </p>
        </>
      ) : null}
    </ActDialog>
  );
};
