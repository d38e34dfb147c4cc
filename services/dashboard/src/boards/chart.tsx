/** Lines over time on uPlot: hover tells each value, dragging zooms, marks show what else happened. */
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import { compact, number } from "../ui/time.ts";
import type { Annotation } from "./data.ts";
import type { Lines } from "./shape.ts";

interface ChartProps {
  readonly lines: Lines;
  /** Whether the sum of a line means something, and is shown while no time is pointed at. */
  readonly sums?: boolean;
  readonly annotations: readonly Annotation[];
  readonly utc: boolean;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

/** Charts are drawn on canvas, which does not know light-dark(): the browser resolves it on an element. */
const resolved = (host: HTMLElement, name: string): string => {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  host.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
};

/** Changes with the theme, chosen or the system's: then the canvas must be drawn in other colours. */
const useThemeTurn = (): number => {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const next = (): void => setTurn((before) => before + 1);
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", next);
    const chosen = new MutationObserver(next);
    chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      system.removeEventListener("change", next);
      chosen.disconnect();
    };
  }, []);
  return turn;
};

const timesOn = (splits: readonly number[], spanSeconds: number, utc: boolean): string[] => {
  const format = new Intl.DateTimeFormat("en-GB", {
    ...(utc ? { timeZone: "UTC" } : {}),
    ...(spanSeconds > 36 * 3600 ? { day: "numeric", month: "short" } : {}),
    ...(spanSeconds > 6 * 86_400 ? {} : { hour: "2-digit", minute: "2-digit" }),
    ...(spanSeconds < 300 ? { second: "2-digit" } : {}),
  });
  return splits.map((at) => format.format(at * 1000));
};

/** The value that is pointed at, else the sum. */
const told = (values: readonly (number | null)[], at: number | undefined, sums: boolean): string => {
  if (at !== undefined) return values[at] == null ? "–" : number.format(values[at]);
  return sums ? number.format(values.reduce<number>((all, value) => all + (value ?? 0), 0)) : "";
};

const marksPlugin = (annotations: readonly Annotation[], color: string): uPlot.Plugin => ({
  hooks: {
    draw: (plot) => {
      const { ctx } = plot;
      const { left, top, width, height } = plot.bbox;
      ctx.save();
      ctx.strokeStyle = color;
      ctx.fillStyle = color;
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.font = `${11 * devicePixelRatio}px sans-serif`;
      for (const { at, title } of annotations) {
        const x = plot.valToPos(Date.parse(at) / 1000, "x", true);
        if (x < left || x > left + width) continue;
        ctx.beginPath();
        ctx.moveTo(x, top);
        ctx.lineTo(x, top + height);
        ctx.stroke();
        ctx.fillText(title.slice(0, 24), x + 4 * devicePixelRatio, top + 11 * devicePixelRatio);
      }
      ctx.restore();
    },
  },
});

export const Chart = ({ lines, sums = true, annotations, utc, onZoom }: ChartProps) => {
  const host = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number>();
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const { times, series } = lines;
  const theme = useThemeTurn();

  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme resolves the same names to other colours.
  useEffect(() => {
    const box = host.current;
    if (box === null) return;
    const faint = resolved(box, "--text-faint");
    const grid = resolved(box, "--line");
    const font = "11px 'Inter Variable', system-ui, sans-serif";
    const plot = new uPlot(
      {
        width: box.clientWidth,
        height: box.clientHeight,
        legend: { show: false },
        padding: [8, 8, 0, 0],
        cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false, setScale: false } },
        ...(utc ? { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") } : {}),
        axes: [
          {
            ...{ stroke: faint, grid: { show: false }, ticks: { show: false }, font, size: 24, space: 90 },
            values: (_, splits) => timesOn(splits, (times.at(-1) ?? 0) - (times[0] ?? 0), utc),
          },
          {
            stroke: faint,
            grid: { stroke: grid, width: 1 },
            ticks: { show: false },
            font,
            size: 44,
            values: (_, splits) => splits.map((value) => compact.format(value)),
          },
        ],
        scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.08)] } },
        series: [
          {},
          ...series.map(({ name, color }) => ({
            label: name,
            stroke: resolved(box, color),
            width: 1.5,
            spanGaps: true,
            points: { show: false },
          })),
        ],
        plugins: [marksPlugin(annotations, faint)],
        hooks: {
          setCursor: [({ cursor }) => setAt(cursor.idx ?? undefined)],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width < 4) return;
              const [from, to] = [self.posToVal(left, "x"), self.posToVal(left + width, "x")];
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              zoom.current(from * 1000, to * 1000);
            },
          ],
        },
      },
      [[...times], ...series.map(({ values }) => [...values])],
      box,
    );
    const resize = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: box.clientHeight }));
    resize.observe(box);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [times, series, annotations, utc, theme]);

  const when = at === undefined ? undefined : times[at];
  return (
    <div className="chart">
      <div className="chart-plot" ref={host} />
      <ul className="chart-legend small figures">
        {when === undefined ? null : (
          <li className="faint">
            {new Date(when * 1000).toLocaleString("en-GB", {
              dateStyle: "short",
              timeStyle: "medium",
              ...(utc ? { timeZone: "UTC" } : {}),
            })}
          </li>
        )}
        {series.map(({ name, color, values }) => (
          <li key={name}>
            <span className="series-mark" style={{ background: `var(${color})` }} aria-hidden />
            <span className="cut">{name}</span> <span className="soft">{told(values, at, sums)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
};
