/** The marks over a histogram: a sign where something happened, and on a click what it was. */
import { Bell, ExternalLink, Rocket, StickyNote, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { useActs, useMay } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { remove } from "../api/client.ts";
import { classes, IconButton } from "../ui/controls.tsx";
import { Popover } from "../ui/overlays.tsx";
import { formatStamp } from "../ui/time.ts";
import { type Chart, groupMarks, isAnnotation, type Mark, type MarkGroup, type MarkKind } from "./marks-data.ts";

const icons = { deploy: Rocket, alert: Bell, note: StickyNote } as const satisfies Record<MarkKind, unknown>;

interface HistogramMarksProps {
  readonly marks: readonly Mark[];
  readonly chart: Chart;
  readonly utc: boolean;
}

/** From here on a sign stands before its line, not behind it: there would be no room. */
const late = 0.9;

export const HistogramMarks = ({ marks, chart, utc }: HistogramMarksProps) => {
  const { start, stepMs, buckets } = chart;
  const end = start + stepMs * buckets;
  const share = (at: number): number => Math.max(0, Math.min(1, (at - start) / (end - start)));
  return (
    <ul className="moments" aria-label="Marks">
      {groupMarks(marks, chart).map((group) => {
        const [first] = group.marks;
        const until = Math.max(...group.marks.map((mark) => (mark.until === null ? 0 : Date.parse(mark.until))));
        const left = share(Date.parse(first?.at ?? ""));
        return (
          <li
            key={group.bucket}
            className={classes("moment", `moment-${first?.kind ?? "note"}`, left > late && "is-late")}
            style={{ left: `${left * 100}%`, width: until === 0 ? 0 : `${(share(until) - left) * 100}%` }}
          >
            <Sign group={group} utc={utc} />
          </li>
        );
      })}
    </ul>
  );
};

const Sign = ({ group: { marks }, utc }: { group: MarkGroup; utc: boolean }) => {
  const [open, setOpen] = useState(false);
  const [first] = marks;
  if (first === undefined) return null;
  const Icon = icons[first.kind];
  const name = marks.length === 1 ? `${first.kind}: ${first.title}` : `${marks.length} marks, ${first.title} first`;
  return (
    <Popover
      open={open}
      onOpen={setOpen}
      label="What happened"
      align="start"
      className="moment-words"
      trigger={
        <button type="button" className="moment-sign" aria-label={name} title={name}>
          <Icon size={11} aria-hidden />
          {marks.length > 1 ? <span className="figures">{marks.length}</span> : null}
        </button>
      }
    >
      <ul className="stack-small">
        {marks.map((mark) => (
          <Words key={mark.id} mark={mark} utc={utc} />
        ))}
      </ul>
    </Popover>
  );
};

const Words = ({ mark, utc }: { mark: Mark; utc: boolean }) => {
  const acts = useActs("annotations");
  const may = useMay()("annotations.write") && isAnnotation(mark);
  return (
    <li className="stack-small">
      <div className="row">
        <strong className="grow break">{mark.title}</strong>
        {may ? (
          <IconButton
            label={`Take away ${mark.title}`}
            disabled={acts.busy}
            onClick={() => void acts.run(() => remove(`/annotations/${mark.id}`))}
          >
            <Trash2 size={14} />
          </IconButton>
        ) : null}
      </div>
      <p className="soft small figures">
        {mark.kind}
        {mark.service === "" ? "" : ` of ${mark.service}`}, {formatStamp(mark.at, utc, 0)}
        {mark.until === null ? "" : ` to ${formatStamp(mark.until, utc, 0)}`}
      </p>
      {mark.url === "" ? null : mark.url.startsWith("/") ? (
        <Link href={mark.url}>Open the incident</Link>
      ) : (
        <a className="row small" href={mark.url} target="_blank" rel="noreferrer noopener">
          <ExternalLink size={12} aria-hidden /> <span className="cut">{mark.url.replace(/^https?:\/\//, "")}</span>
        </a>
      )}
      <Wrong>{acts.wrong}</Wrong>
      {acts.dialog}
    </li>
  );
};
