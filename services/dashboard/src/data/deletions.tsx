/** Deletions: asked for with a preview, followed place by place, and proven by a certificate to take along. */
import { Download, Trash2 } from "lucide-react";
import { useState } from "react";
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { open as fetchOpen } from "../api/client.ts";
import { Button } from "../ui/controls.tsx";
import { download } from "../ui/download.ts";
import { MenuItem, Modal, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { Snippet } from "../ui/snippet.tsx";
import { formatAgo, number } from "../ui/time.ts";
import { type Deletion, placeWords, useDeletions } from "./data.ts";
import { NewDeletion } from "./new-deletion.tsx";

const stateWords: Readonly<Record<Deletion["state"], string>> = {
  requested: "requested",
  held: "stopped by a hold",
  waiting: "waits for what is on its way",
  removing: "removing",
  checked: "found empty, being certified",
  certified: "certified",
};

const whatOf = ({ kind, query, sources }: Deletion): string =>
  kind === "organization" ? "everything" : kind === "source" ? sources.join(", ") : query || "every event of that time";

export const Deletions = () => {
  const deletions = useDeletions();
  const may = useMay()("deletions.write");
  const [open, setOpen] = useState<{ readonly kind: "new" } | { readonly kind: "one"; readonly id: string }>();
  const all = deletions.data?.deletions ?? [];
  const shown = open?.kind === "one" ? all.find(({ id }) => id === open.id) : undefined;
  return (
    <Section
      title="Deletions"
      about="What is deleted is removed from every place there is, and each place is looked through again. The certificate says so, signed, and can be checked on any machine."
      act={
        may ? (
          <Button small look="danger" icon={<Trash2 size={14} />} onClick={() => setOpen({ kind: "new" })}>
            Delete events
          </Button>
        ) : null
      }
    >
      <Read from={deletions} what="the deletions">
        {() =>
          all.length === 0 ? (
            <p className="soft small">Nothing was deleted before its time.</p>
          ) : (
            <List heads={["What", "State", "-Why", "Asked", ""]}>
              {all.map((one) => (
                <tr key={one.id}>
                  <td>
                    <span className="mono break">{whatOf(one)}</span>
                    <div className="faint small mono">{one.id}</div>
                  </td>
                  <td>{one.certified ? <span className="good">certified</span> : stateWords[one.state]}</td>
                  <td className="wide-only soft break">{one.reason}</td>
                  <td className="soft">{formatAgo(one.received_before)}</td>
                  <td className="acts">
                    <RowMenu label={`Acts on ${one.id}`}>
                      <MenuItem onSelect={() => setOpen({ kind: "one", id: one.id })}>
                        {one.certified ? "Places and certificate" : "How far it is"}
                      </MenuItem>
                    </RowMenu>
                  </td>
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {open?.kind === "new" ? <NewDeletion onClose={() => setOpen(undefined)} /> : null}
      {shown === undefined ? null : <OneDeletion of={shown} onClose={() => setOpen(undefined)} />}
    </Section>
  );
};

const OneDeletion = ({ of: one, onClose }: { of: Deletion; onClose: () => void }) => {
  const acts = useActs();
  const save = (path: string, name: string) =>
    void acts.run(async () => {
      const stream = await fetchOpen(`/deletions/${one.id}/${path}`, new AbortController().signal);
      download(await new Response(stream).blob(), name);
    });
  const command = `astralog certificate verify ${one.id}.json --removed ${one.id}.jsonl`;
  return (
    <Modal
      open
      wide
      onClose={onClose}
      title={`Deletion of ${whatOf(one)}`}
      about={`${stateWords[one.state]}; ${one.reason}`}
    >
      <div className="stack">
        <List heads={["Place", "Removed", "Found after", "Detail"]}>
          {one.steps.map((step) => (
            <tr key={step.place}>
              <td>{placeWords[step.place] ?? step.place}</td>
              <td className="figures">{number.format(step.removed)}</td>
              <td className="figures">
                {step.state === "done" ? <span className="good">{step.found}</span> : step.state}
              </td>
              <td className="soft small break">{step.detail}</td>
            </tr>
          ))}
        </List>
        {one.certified ? (
          <>
            <div className="row wrap">
              <Button
                look="primary"
                icon={<Download size={14} />}
                disabled={acts.busy}
                onClick={() => save("certificate", `${one.id}.json`)}
              >
                Certificate
              </Button>
              <Button
                icon={<Download size={14} />}
                disabled={acts.busy}
                onClick={() => save("removed", `${one.id}.jsonl`)}
              >
                List of what was removed
              </Button>
            </div>
            <Snippet text={command} />
            <p className="faint small">
              Until {one.watched_until.slice(0, 10)}, while a replay could bring something back, every look makes sure
              that it did not.
            </p>
          </>
        ) : null}
        <Wrong>{acts.wrong}</Wrong>
        {acts.dialog}
      </div>
    </Modal>
  );
};
