/** Who writes to Kafka itself, each source to its own topic. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { useMay } from "../account/acts.tsx";
import { useReadAll } from "../api/read.ts";
import { useCommands } from "../shell/commands.tsx";
import { Button, classes } from "../ui/controls.tsx";
import { MenuItem, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import type { Source } from "./data.ts";
import type { MadeProducer, Producer } from "./producer.ts";
import { NewProducer, ProducerShown, RevokeProducer, RotateProducer } from "./producer-dialogs.tsx";

type Open =
  | { readonly kind: "new" }
  | { readonly kind: "rotate" | "revoke"; readonly producer: Producer }
  | { readonly kind: "made"; readonly made: MadeProducer };

export const Producers = ({ sources }: { sources: readonly Source[] }) => {
  const may = useMay();
  const mayWrite = may("producers.write") && sources.length > 0;
  const mayRead = may("producers.read");
  const producers = useReadAll<"producers", Producer>("producers", "/producers", "producers", mayRead);
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const begin = (): void => setOpen({ kind: "new" });
  const made = (producer: MadeProducer): void => setOpen({ kind: "made", made: producer });
  useCommands(
    mayWrite
      ? [{ id: "new-producer", title: "New Kafka producer", section: "Sources and keys", also: "native", run: begin }]
      : [],
  );
  if (!mayRead) return null;
  return (
    <Section
      title="Kafka producers"
      about="For what sends too much for HTTP, or is in Kafka already: a user of the cluster who may write to his source's own topic, and do nothing else. What he writes is redacted, stored and proven like all else."
      act={
        mayWrite ? (
          <Button small icon={<Plus size={14} />} onClick={begin}>
            New producer
          </Button>
        ) : null
      }
    >
      <Read from={producers} what="the producers">
        {(all) =>
          all.length === 0 ? (
            <p className="soft small">There is none: everything comes by HTTP.</p>
          ) : (
            <List heads={["Producer", "-Source", "-Topic", "-Made", "State", ""]}>
              {all.map((one) => (
                <tr key={one.id} className={classes(one.revoked_at !== null && "is-off")}>
                  <td>
                    <strong>{one.name || "unnamed"}</strong>
                    <div className="faint small mono">{one.username}</div>
                  </td>
                  <td className="wide-only soft">{sources.find(({ id }) => id === one.source)?.name ?? one.source}</td>
                  <td className="wide-only soft mono small">{one.topic}</td>
                  <td className="wide-only soft">{formatAgo(one.created_at)}</td>
                  <td>
                    <State of={one} />
                  </td>
                  <td className="acts">
                    {mayWrite && one.revoked_at === null ? (
                      <RowMenu label={`Acts on producer ${one.name || one.username}`}>
                        <MenuItem onSelect={() => setOpen({ kind: "rotate", producer: one })}>Rotate</MenuItem>
                        <MenuItem danger onSelect={() => setOpen({ kind: "revoke", producer: one })}>
                          Revoke
                        </MenuItem>
                      </RowMenu>
                    ) : null}
                  </td>
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {open?.kind === "new" ? <NewProducer sources={sources} onMade={made} onClose={close} /> : null}
      {open?.kind === "rotate" ? <RotateProducer of={open.producer} onMade={made} onClose={close} /> : null}
      {open?.kind === "revoke" ? <RevokeProducer of={open.producer} onClose={close} /> : null}
      {open?.kind === "made" ? <ProducerShown of={open.made} onClose={close} /> : null}
    </Section>
  );
};

/** Why Kafka refuses it, and what ends that. */
const pauses = {
  source_disabled: ["its source is off", "until that is switched on"],
  over_plan: ["not in the plan", "until the plan has Kafka producers"],
  quota_exhausted: ["the day is used up", "until midnight UTC, or a larger plan"],
} as const;

const State = ({ of: { revoked_at: revoked, expires_at: ends, paused } }: { of: Producer }) => {
  if (revoked !== null) return <span className="badge">revoked</span>;
  if (ends !== null && Date.parse(ends) <= Date.now()) return <span className="badge">expired</span>;
  if (paused !== null) {
    const [why, until] = pauses[paused];
    return (
      <>
        <span className="warn">paused: {why}</span>
        <div className="faint small">{until}</div>
      </>
    );
  }
  return ends === null ? <span className="good">works</span> : <span className="warn">ends {formatAgo(ends)}</span>;
};
