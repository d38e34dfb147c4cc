/** Where alerts are sent: made, tried, turned off, and what went there. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { ActDialog, ConfirmDialog, useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { patch, post, remove } from "../api/client.ts";
import { Button, CopyButton, Field, Input } from "../ui/controls.tsx";
import { MenuItem, MenuLine, Modal, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { type Destination, useDestinations } from "./data.ts";
import { Notices } from "./notices.tsx";

/** Kind to its name and what must be given for it. On call and escalation are made over the API. */
const kinds = {
  webhook: ["Webhook", "Address"],
  slack: ["Slack", "Address of the incoming webhook"],
  teams: ["Microsoft Teams", "Address of the workflow's webhook"],
  discord: ["Discord", "Address of the webhook"],
  pagerduty: ["PagerDuty", "Routing key"],
  opsgenie: ["Opsgenie", "API key"],
  email: ["E-mail", "Addresses, with commas between"],
} as const satisfies Record<string, readonly [string, string]>;
type Kind = keyof typeof kinds;
const kindNames = Object.keys(kinds) as Kind[];

const givenFor = (kind: Kind, text: string): object => {
  if (kind === "webhook") return { settings: { url: text } };
  if (kind === "email") return { settings: { to: text.split(",").map((one) => one.trim()) } };
  return { secrets: kind === "pagerduty" || kind === "opsgenie" ? { key: text } : { url: text } };
};

const whereOf = ({ settings: { url, host, to }, id }: Destination): string => url ?? host ?? to?.join(", ") ?? id;

type Open =
  | { readonly kind: "new" }
  | { readonly kind: "secret"; readonly secret: string }
  | { readonly kind: "tried"; readonly words: string }
  | { readonly kind: "delete" | "sent"; readonly one: Destination };

export const Destinations = () => {
  const destinations = useDestinations();
  const [open, setOpen] = useState<Open>();
  const acts = useActs("alert-destinations");
  const may = useMay()("alerts.destinations");
  const close = (): void => setOpen(undefined);
  const test = (one: Destination): void =>
    void acts.run(async () => {
      const { outcome, problem } = await post<{ outcome: string; problem: string }>(
        `/alerts/destinations/${one.id}/test`,
      );
      return () => setOpen({ kind: "tried", words: outcome === "taken" ? `${one.name} took it.` : problem });
    });
  return (
    <Section
      title="Destinations"
      about="Who is told. Addresses and keys go in and are never shown again."
      act={
        may ? (
          <Button small look="primary" icon={<Plus size={14} />} onClick={() => setOpen({ kind: "new" })}>
            New destination
          </Button>
        ) : null
      }
    >
      <Wrong>{acts.wrong}</Wrong>
      <Read from={destinations} what="the destinations">
        {({ destinations: all }) =>
          all.length === 0 ? (
            <p className="soft small">Alerts are sent nowhere.</p>
          ) : (
            <List heads={["Destination", "-Kind", "State", ""]}>
              {all.map((one) => (
                <tr key={one.id}>
                  <td>
                    <strong>{one.name}</strong>
                    <div className="faint small mono break">{whereOf(one)}</div>
                  </td>
                  <td className="wide-only">{kinds[one.kind as Kind]?.[0] ?? one.kind.replace("_", " ")}</td>
                  <td>
                    {one.enabled ? <span className="good">on</span> : <span className="badge">off</span>}
                    {one.standard ? <div className="faint small">for rules that name none</div> : null}
                    {one.problem === "" ? null : <div className="warn small break">{one.problem}</div>}
                  </td>
                  <td className="acts">
                    <RowMenu label={`Acts on ${one.name}`}>
                      <MenuItem onSelect={() => setOpen({ kind: "sent", one })}>What was sent</MenuItem>
                      {may ? (
                        <>
                          <MenuItem onSelect={() => test(one)}>Send a test</MenuItem>
                          <MenuItem
                            onSelect={() =>
                              void acts.run(() => patch(`/alerts/destinations/${one.id}`, { enabled: !one.enabled }))
                            }
                          >
                            {one.enabled ? "Turn off" : "Turn on"}
                          </MenuItem>
                          <MenuLine />
                          <MenuItem danger onSelect={() => setOpen({ kind: "delete", one })}>
                            Remove
                          </MenuItem>
                        </>
                      ) : null}
                    </RowMenu>
                  </td>
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {acts.dialog}
      {open?.kind === "new" ? (
        <NewDestination
          onClose={close}
          onMade={(secret) => (secret === "" ? close() : setOpen({ kind: "secret", secret }))}
        />
      ) : null}
      {open?.kind === "secret" ? (
        <Modal
          open
          firm
          onClose={close}
          title="The webhook's secret"
          about="Check signatures with it. It is not shown again."
        >
          <div className="stack">
            <p className="mono break">{open.secret}</p>
            <div className="row end">
              <CopyButton text={open.secret} label="Copy the secret" small={false} />
              <Button look="primary" onClick={close}>
                Done
              </Button>
            </div>
          </div>
        </Modal>
      ) : null}
      {open?.kind === "tried" ? (
        <Modal open onClose={close} title="A test was sent">
          <div className="stack">
            <p>{open.words}</p>
            <div className="row end">
              <Button look="primary" onClick={close}>
                Done
              </Button>
            </div>
          </div>
        </Modal>
      ) : null}
      {open?.kind === "sent" ? (
        <Modal open wide onClose={close} title={`Sent to ${open.one.name}`}>
          <Notices by={{ destination: open.one.id }} />
        </Modal>
      ) : null}
      {open?.kind === "delete" ? <RemoveDestination of={open.one} onClose={close} /> : null}
    </Section>
  );
};

const NewDestination = ({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) => {
  const [kind, setKind] = useState<Kind>("webhook");
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const [standard, setStandard] = useState(false);
  const acts = useActs("alert-destinations");
  const work = () =>
    post<{ secret: string }>("/alerts/destinations", { name, kind, standard, ...givenFor(kind, text) });
  return (
    <ActDialog
      title="New destination"
      {...{ acts, work, onClose, submit: "Make it", disabled: name.trim() === "" || text.trim() === "" }}
      onDone={({ secret }) => onMade(secret)}
    >
      <Field label="Kind">
        {(ids) => (
          <select {...ids} className="input" value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
            {kindNames.map((one) => (
              <option key={one} value={one}>
                {kinds[one][0]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Name">
        {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label={kinds[kind][1]}>
        {(ids) => <Input {...ids} value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      <label className="choice">
        <input type="checkbox" checked={standard} onChange={(event) => setStandard(event.target.checked)} />
        <span>Tell it of every rule that names no destination</span>
      </label>
    </ActDialog>
  );
};

const RemoveDestination = ({ of: one, onClose }: { of: Destination; onClose: () => void }) => (
  <ConfirmDialog
    title={`Remove ${one.name}`}
    about="What is on its way there is given up."
    word={one.name}
    acts={useActs("alert-destinations")}
    submit="Remove"
    work={() => remove(`/alerts/destinations/${one.id}`)}
    onClose={onClose}
  />
);
