/** One event, with its place in the chain; this browser computes its hash anew. */
import type { AuditEvent } from "@astralog/schemas/audit";
import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { Button, CopyButton } from "../ui/controls.tsx";
import { Modal } from "../ui/overlays.tsx";
import { Read } from "../ui/parts.tsx";
import { formatStamp, localZone } from "../ui/time.ts";
import { actorWords, type Filter, hashOf, useEvent } from "./data.ts";

interface Props {
  readonly seq: number;
  readonly onSeq: (seq: number) => void;
  readonly onFilter: (changes: Readonly<Partial<Filter>>) => void;
  readonly onClose: () => void;
}

export const EventDialog = ({ seq, onSeq, onFilter, onClose }: Props) => {
  const event = useEvent(seq);
  const next = useEvent(seq + 1);
  return (
    <Modal open wide onClose={onClose} title={`Event ${seq}`}>
      <div className="stack">
        <Read from={event} what="the event">
          {(found) =>
            found === null ? (
              <p className="soft">The trail has no event {seq} yet.</p>
            ) : (
              <Facts event={found} next={next.data ?? undefined} onFilter={onFilter} />
            )
          }
        </Read>
        <div className="row wrap">
          <Button disabled={seq === 1} icon={<ChevronLeft size={14} />} onClick={() => onSeq(seq - 1)}>
            Before
          </Button>
          <Button disabled={!next.data} icon={<ChevronRight size={14} />} onClick={() => onSeq(seq + 1)}>
            After
          </Button>
          <span className="grow" />
          {event.data ? <CopyButton small={false} label="Copy as JSON" text={JSON.stringify(event.data)} /> : null}
        </div>
      </div>
    </Modal>
  );
};

interface FactsProps {
  readonly event: AuditEvent;
  readonly next: AuditEvent | undefined;
  readonly onFilter: Props["onFilter"];
}

const Facts = ({ event, next, onFilter }: FactsProps) => {
  const { actor, target, where } = event;
  return (
    <dl className="facts">
      <Fact name="What">
        <span className="mono">{event.action}</span>{" "}
        <span className={event.result === "ok" ? "good" : "warn"}>{event.result}</span>
      </Fact>
      <Fact name="When">
        {formatStamp(event.at, true)} UTC{" "}
        {localZone === "UTC" ? null : (
          <span className="faint">
            {formatStamp(event.at, false, 0)} {localZone}
          </span>
        )}
      </Fact>
      <Fact name="Who">
        {actorWords(event)} <span className="faint">{actor.kind}</span>{" "}
        {actor.id === "" ? null : (
          <button type="button" className="link mono small" onClick={() => onFilter({ actor: actor.id })}>
            {actor.id}
          </button>
        )}
      </Fact>
      <Fact name="On">
        {target.kind}{" "}
        {target.id === "" ? null : (
          <button type="button" className="link mono small" onClick={() => onFilter({ target: target.id })}>
            {target.id}
          </button>
        )}
      </Fact>
      <Fact name="From">
        <span className="mono">{where.ip || "within"}</span> <span className="faint">{where.user_agent}</span>
      </Fact>
      <Fact name="Request">
        <span className="mono">{where.request_id || "none"}</span>
      </Fact>
      <Fact name="Details">
        <pre className="block">{JSON.stringify(event.details, null, 2)}</pre>
      </Fact>
      <Fact name="Hash before">
        <span className="mono small">{event.prev}</span>
      </Fact>
      <Fact name="Hash">
        <span className="mono small">{event.hash}</span>
        <Chained event={event} next={next} />
      </Fact>
    </dl>
  );
};

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);

const Chained = ({ event, next }: Pick<FactsProps, "event" | "next">) => {
  const computed = useQuery({
    queryKey: ["audit-hash", event.hash, event.seq],
    queryFn: async () => (await hashOf(event)) ?? null,
  });
  const follows = next === undefined ? undefined : next.prev === event.hash;
  if (computed.data === undefined) return null;
  const right = computed.data === null ? undefined : computed.data === event.hash;
  return (
    <p className={right === false || follows === false ? "warn small" : "good small"}>
      {right === undefined
        ? "This browser computes hashes only on https or localhost. "
        : right
          ? "This browser computed the same hash. "
          : "This browser computed another hash: the event is not what was written. "}
      {follows === undefined
        ? "It is the last event so far."
        : follows
          ? `Event ${event.seq + 1} names it as the one before.`
          : `Event ${event.seq + 1} does not follow from it: the chain is broken here.`}
    </p>
  );
};
