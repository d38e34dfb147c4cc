/** A field of numbers: how they are spread, and two handles that keep a part of them. */
import { Slider } from "radix-ui";
import { useEffect, useState } from "react";
import { Button } from "../ui/controls.tsx";
import { compact, number } from "../ui/time.ts";
import { type Asked, useDistribution } from "./data.ts";
import { heightsOf, placesOf, rangeFilter, rangeOfField, withRange } from "./number-range.ts";

interface NumberFacetProps {
  readonly asked: Asked;
  readonly field: string;
  readonly q: string;
  readonly onQuery: (q: string) => void;
}

export const NumberFacet = ({ asked, field, q, onQuery }: NumberFacetProps) => {
  const kept = rangeOfField(q, field);
  // Of what is found without its own range: what was left out can be taken back in.
  const spread = useDistribution({ ...asked, q: withRange(asked.q, field, undefined) }, field);
  const bins = spread.data?.bins ?? [];
  // The handles stand on the edges of the bins: what they keep is what the bars show.
  const edges = [...bins.map(({ from }) => from), ...(bins.length === 0 ? [] : [bins.at(-1)?.to ?? 0])];
  const last = edges.length - 1;
  const [places, setPlaces] = useState<readonly [number, number]>([0, last]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other bins have other edges.
  useEffect(() => setPlaces(placesOf(kept, edges)), [last, edges[0], edges[last], kept]);
  if (bins.length < 2 && kept === undefined) return null;
  const [low, high] = [Math.min(places[0], last), Math.min(places[1], last)];
  const show = (at: number): string => compact.format(edges[at] ?? 0);
  return (
    <section>
      <h2>
        <span className="grow cut">{field}</span>
        <span className="faint figures">{compact.format(spread.data?.count ?? 0)}</span>
      </h2>
      {bins.length < 2 ? null : (
        <div className="spread">
          <svg viewBox={`0 0 ${bins.length} 30`} preserveAspectRatio="none" aria-hidden>
            {heightsOf(bins, 30).map((height, i) => (
              <rect
                key={edges[i]}
                className={i >= low && i < high ? "spread-bar" : "spread-bar is-outside"}
                x={i + 0.06}
                width={0.88}
                y={30 - height}
                height={height}
              />
            ))}
          </svg>
          <Slider.Root
            className="slider"
            min={0}
            max={last}
            minStepsBetweenThumbs={1}
            value={[low, high]}
            onValueChange={([from = 0, to = last]) => setPlaces([from, to])}
            onValueCommit={([from = 0, to = last]) => {
              const all = from === 0 && to === last;
              onQuery(withRange(q, field, all ? undefined : rangeFilter(field, edges[from], edges[to])));
            }}
          >
            <Slider.Track className="slider-track">
              <Slider.Range className="slider-range" />
            </Slider.Track>
            <Slider.Thumb className="slider-thumb" aria-label={`Least ${field}`} aria-valuetext={show(low)} />
            <Slider.Thumb className="slider-thumb" aria-label={`Most ${field}`} aria-valuetext={show(high)} />
          </Slider.Root>
          <p className="row figures faint">
            <span className="grow" title={number.format(edges[low] ?? 0)}>
              {show(low)}
            </span>
            <span title={number.format(edges[high] ?? 0)}>{show(high)}</span>
          </p>
        </div>
      )}
      {kept === undefined ? null : (
        <Button small look="quiet" onClick={() => onQuery(withRange(q, field, undefined))}>
          <span className="mono cut">{kept}</span> Take away
        </Button>
      )}
    </section>
  );
};
