/** Where alerts are sent: made, tried, turned off, and what went there. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { ActDialog, ConfirmDialog, useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { patch, post, remove } from "../api/client.ts";
import { Button, CopyButton } from "../ui/controls.tsx";
import { OverlapField } from "../ui/overlap-field.tsx";
import { MenuItem, MenuLine, Modal, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { type Destination, useDestinations } from "./data.ts";
import { DestinationDialog } from "./destination-dialog.tsx";
import { isDirect, type Kind, kindWords, whereOf } from "./destination-kinds.ts";
import { Notices } from "./notices.tsx";

type Open =
  | { readonly kind: "new" }
  | { readonly kind: "secret"; readonly secret: string }
  | { readonly kind: "tried"; readonly words: string }
  | { readonly kind: "delete" | "sent" | "edit" | "rotate"; readonly one: Destination };

export const Destinations = () => {
  const destinations = useDestinations();
  const [open, setOpen] = useState<Open>();
  const acts = useActs("alert-destinations");
  const may = useMay()("alerts.destinations");
  const known = destinations.data?.destinations ?? [];
  const close = (): void => setOpen(undefined);
  const made = (secret: string): void => (secret === "" ? close() : setOpen({ kind: "secret", secret }));
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
      about="Who is told. Keys, and the addresses of chats, go in and are never shown again."
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
                    <div className="faint small mono break">{whereOf(one, all)}</div>
                  </td>
                  <td className="wide-only">{kindWords[one.kind as Kind] ?? one.kind}</td>
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
                          <MenuItem onSelect={() => setOpen({ kind: "edit", one })}>Change</MenuItem>
                          {isDirect(one.kind) ? <MenuItem onSelect={() => test(one)}>Send a test</MenuItem> : null}
                          {one.kind === "webhook" ? (
                            <MenuItem onSelect={() => setOpen({ kind: "rotate", one })}>New secret</MenuItem>
                          ) : null}
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
      {open?.kind === "new" ? <DestinationDialog all={known} onClose={close} onMade={made} /> : null}
      {open?.kind === "edit" ? <DestinationDialog of={open.one} all={known} onClose={close} onMade={made} /> : null}
      {open?.kind === "rotate" ? <Rotate of={open.one} onClose={close} onMade={made} /> : null}
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

const Rotate = ({
  of: one,
  onClose,
  onMade,
}: {
  of: Destination;
  onClose: () => void;
  onMade: (secret: string) => void;
}) => {
  const [overlap, setOverlap] = useState(86_400);
  return (
    <ActDialog
      title={`A new secret for ${one.name}`}
      about="Meanwhile each message has two signatures, so that the receiver can change over."
      acts={useActs("alert-destinations")}
      submit="Make it"
      work={() => post<{ secret: string }>(`/alerts/destinations/${one.id}/rotate`, { overlap_seconds: overlap })}
      onDone={({ secret }) => onMade(secret)}
      onClose={onClose}
    >
      <OverlapField label="The old one signs for" value={overlap} onChange={setOverlap} />
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
