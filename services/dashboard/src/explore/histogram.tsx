/** Events over time, stacked by level. Drag to zoom, hover to count, alt-click takes a level out; the bucket that is still filling is hatched. */
import { useRef, useState } from "react";
import { classes } from "../ui/controls.tsx";
import { number } from "../ui/time.ts";
import type { Histogram as Data } from "./data.ts";
import { HistogramMarks } from "./histogram-marks.tsx";
import { axisMarks, stackOf } from "./histogram-shape.ts";
import type { Mark } from "./marks-data.ts";

interface HistogramProps {
  readonly data: Data;
  readonly marks?: readonly Mark[];
  /** The window ends now. */
  readonly live?: boolean;
  readonly utc: boolean;
  readonly stale: boolean;
  readonly onZoom?: (from: number, to: number) => void;
  readonly onLevel?: (level: string, exclude: boolean) => void;
  /** Stretches of time, below the bars. */
  readonly spans?: readonly Span[];
}

export interface Span {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

const height = 64;
const percent = (share: number): string => `${share * 100}%`;

export const Histogram = ({
  data,
  marks = [],
  live = false,
  utc,
  stale,
  onZoom,
  onLevel,
  spans = [],
}: HistogramProps) => {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number>();
  const [drag, setDrag] = useState<readonly [number, number]>();
  const { buckets, step_seconds: step } = data;
  const count = buckets.length;
  const stacks = buckets.map(({ counts }) => stackOf(counts));
  const most = Math.max(1, ...stacks.map(({ total }) => total));
  const indexOf = (clientX: number): number => {
    const bounds = box.current?.getBoundingClientRect();
    if (bounds === undefined) return 0;
    return Math.max(0, Math.min(count - 1, Math.floor(((clientX - bounds.left) / bounds.width) * count)));
  };
  const startOf = (index: number): number => new Date(buckets[index]?.at ?? 0).getTime();
  const begun = startOf(0);
  const shareOf = (instant: number): number => Math.min(1, Math.max(0, (instant - begun) / (count * step * 1000)));
  const hovered = at === undefined ? undefined : stacks[at];
  const total = stacks.reduce((sum, one) => sum + one.total, 0);
  return (
    <figure
      className={classes("histogram", stale && "is-stale")}
      aria-label={`${number.format(total)} events in ${count} bars`}
    >
      <div
        ref={box}
        className="histogram-bars"
        onPointerMove={(event) => {
          const index = indexOf(event.clientX);
          setAt(index);
          if (drag !== undefined) setDrag([drag[0], index]);
        }}
        onPointerLeave={() => drag === undefined && setAt(undefined)}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          const level = event.altKey ? (event.target as Element).getAttribute("data-level") : null;
          if (level !== null) return onLevel?.(level, true);
          if (onZoom === undefined) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const index = indexOf(event.clientX);
          setDrag([index, index]);
        }}
        onPointerUp={() => {
          if (drag === undefined) return;
          const [first, last] = drag[0] <= drag[1] ? drag : [drag[1], drag[0]];
          setDrag(undefined);
          if (last > first) onZoom?.(startOf(first), startOf(last) + step * 1000);
        }}
      >
        <svg viewBox={`0 0 ${count} ${height}`} preserveAspectRatio="none" aria-hidden>
          <defs>
            <pattern id="filling" width="0.5" height="6" patternUnits="userSpaceOnUse">
              <rect width="0.5" height="2.5" className="hatch" />
            </pattern>
          </defs>
          {stacks.map(({ parts }, i) => {
            const key = buckets[i]?.at ?? i;
            let y = height;
            return (
              <g key={key}>
                {parts.map(([level, value]) => {
                  const size = Math.max(value > 0 ? 1.2 : 0, (value / most) * (height - 4));
                  y -= size;
                  return (
                    <rect
                      key={level}
                      data-level={level}
                      className={`bar bar-${level}`}
                      x={i + 0.08}
                      width={0.84}
                      y={y}
                      height={size}
                    />
                  );
                })}
                {i === count - 1 && startOf(i) + step * 1000 > Date.now() && y < height ? (
                  <rect x={i} width={1} y={y} height={height - y} fill="url(#filling)" pointerEvents="none" />
                ) : null}
              </g>
            );
          })}
          {at === undefined ? null : <rect className="bar-at" x={at} width={1} y={0} height={height} />}
          {drag === undefined || drag[0] === drag[1] ? null : (
            <rect
              className="bar-drag"
              x={Math.min(...drag)}
              width={Math.abs(drag[1] - drag[0]) + 1}
              y={0}
              height={height}
            />
          )}
        </svg>
        {hovered === undefined || at === undefined ? null : (
          <div
            className="histogram-tip"
            style={
              at > count / 2 ? { right: `${((count - at) / count) * 100}%` } : { left: `${((at + 1) / count) * 100}%` }
            }
          >
            <strong className="figures">
              {new Date(startOf(at)).toLocaleString("en-GB", {
                dateStyle: "medium",
                timeStyle: "medium",
                ...(utc ? { timeZone: "UTC" } : {}),
              })}
            </strong>
            {hovered.parts
              .filter(([, value]) => value > 0)
              .toReversed()
              .map(([level, value]) => (
                <span key={level} className="row">
                  <span className={`level level-${level}`}>{level}</span>
                  <span className="grow" />
                  <span className="figures">{number.format(value)}</span>
                </span>
              ))}
            {hovered.total === 0 ? <span className="faint">no events</span> : null}
          </div>
        )}
      </div>
      {marks.length === 0 ? null : (
        <HistogramMarks
          marks={marks}
          chart={{ start: startOf(0), stepMs: step * 1000, buckets: count, live }}
          utc={utc}
        />
      )}
      {spans.length === 0 ? null : (
        <div className="histogram-spans" aria-hidden>
          {spans.map(({ id, from, to, label }) => {
            const [left, right] = [shareOf(from), shareOf(to)];
            if (right <= 0 || left >= 1) return null;
            return <span key={id} title={label} style={{ left: percent(left), width: percent(right - left) }} />;
          })}
        </div>
      )}
      <div className="histogram-axis figures" aria-hidden>
        {axisMarks(
          buckets.map((one) => new Date(one.at).getTime()),
          step,
          utc,
        ).map(({ at: share, text }) => (
          <span key={share} style={{ left: `${share * 100}%` }}>
            {text}
          </span>
        ))}
      </div>
    </figure>
  );
};
