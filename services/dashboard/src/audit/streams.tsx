/** Webhooks that get every event of the trail: made, watched, renewed and ended. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { useActs } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { patch } from "../api/client.ts";
import { useCommands } from "../shell/commands.tsx";
import { Button } from "../ui/controls.tsx";
import { MenuItem, MenuLine, RowMenu } from "../ui/overlays.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo, number } from "../ui/time.ts";
import { type MadeStream, type Stream, useHead, useStreams } from "./data.ts";
import { DeleteStream, NewStream, RotateStream, SecretShown } from "./stream-dialogs.tsx";

type Open =
  | { readonly kind: "new" }
  | { readonly kind: "rotate" | "delete"; readonly stream: Stream }
  | { readonly kind: "made"; readonly made: MadeStream };

export const Streams = () => {
  const streams = useStreams();
  const [open, setOpen] = useState<Open>();
  const acts = useActs("audit-streams");
  const close = (): void => setOpen(undefined);
  const begin = (): void => setOpen({ kind: "new" });
  const made = (stream: MadeStream): void => setOpen({ kind: "made", made: stream });
  useCommands([
    { id: "new-stream", title: "New audit stream", section: "Audit", keys: "n", also: "webhook siem", run: begin },
  ]);
  return (
    <Section
      title="Streams"
      about="Each event of the trail, sent to a webhook of yours in its order, signed as Standard Webhooks say. What was not taken is sent again, for days; nothing is left out."
      act={
        <Button small look="primary" icon={<Plus size={14} />} onClick={begin}>
          New stream
        </Button>
      }
    >
      <Wrong>{acts.wrong}</Wrong>
      <Read from={streams} what="the streams">
        {({ streams: all }) =>
          all.length === 0 ? (
            <p className="soft small">The trail is sent nowhere.</p>
          ) : (
            <List heads={["Stream", "Delivered", "State", ""]}>
              {all.map((stream) => (
                <tr key={stream.id}>
                  <td>
                    <strong>{stream.name}</strong>
                    <div className="faint small mono break">{stream.url}</div>
                  </td>
                  <td className="figures">
                    <Reached of={stream} />
                  </td>
                  <td>
                    <State of={stream} />
                  </td>
                  <td className="acts">
                    <RowMenu label={`Acts on ${stream.name}`}>
                      <MenuItem onSelect={() => setOpen({ kind: "rotate", stream })}>New secret</MenuItem>
                      <MenuItem
                        onSelect={() =>
                          void acts.run(() => patch(`/audit/streams/${stream.id}`, { enabled: !stream.enabled }))
                        }
                      >
                        {stream.enabled ? "Pause" : "Go on"}
                      </MenuItem>
                      <MenuLine />
                      <MenuItem danger onSelect={() => setOpen({ kind: "delete", stream })}>
                        Delete
                      </MenuItem>
                    </RowMenu>
                  </td>
                </tr>
              ))}
            </List>
          )
        }
      </Read>
      {acts.dialog}
      {open?.kind === "new" ? <NewStream onMade={made} onClose={close} /> : null}
      {open?.kind === "rotate" ? <RotateStream of={open.stream} onMade={made} onClose={close} /> : null}
      {open?.kind === "delete" ? <DeleteStream of={open.stream} onClose={close} /> : null}
      {open?.kind === "made" ? <SecretShown of={open.made} onClose={close} /> : null}
    </Section>
  );
};

const Reached = ({ of: { delivered_seq: seq, delivered_at: at } }: { of: Stream }) => {
  const last = useHead().data?.head.seq;
  const behind = last === undefined ? 0 : Math.max(0, last - seq);
  return (
    <>
      to event {number.format(seq)}
      <div className="faint small">
        {behind === 0 ? "all of them" : `${number.format(behind)} to go`}
        {at === null ? "" : `, ${formatAgo(at)}`}
      </div>
    </>
  );
};

const State = ({ of: stream }: { of: Stream }) => {
  const overlap = stream.overlap_until !== null && Date.parse(stream.overlap_until) > Date.now();
  return (
    <>
      {!stream.enabled ? (
        <span className="badge">paused</span>
      ) : stream.failed_tries > 0 ? (
        <span className="warn">
          failed {stream.failed_tries === 1 ? "once" : `${stream.failed_tries} times`}
          {stream.next_try_at === null ? "" : `, again ${formatAgo(stream.next_try_at)}`}
        </span>
      ) : (
        <span className="good">works</span>
      )}
      {stream.problem === "" ? null : <div className="soft small break">{stream.problem}</div>}
      {overlap && stream.overlap_until !== null ? (
        <div className="faint small">both secrets sign, the old one ends {formatAgo(stream.overlap_until)}</div>
      ) : null}
    </>
  );
};
