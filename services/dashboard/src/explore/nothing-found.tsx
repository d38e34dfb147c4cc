/** An empty list says what was searched, and offers the nearest questions that may find something. */
import { nearest } from "@astralog/schemas/query/suggest";
import { Button } from "../ui/controls.tsx";
import { Empty } from "../ui/states.tsx";
import { compact, number } from "../ui/time.ts";
import { type Stats, useKnownValues, useMatches } from "./data.ts";
import { filterOf, valueTerms, withoutTerms } from "./language.ts";
import { describeRange, type Range } from "./time-range.ts";

interface NothingFoundProps {
  readonly q: string;
  readonly range: Range;
  readonly place: string;
  readonly utc: boolean;
  readonly stats: Stats | undefined;
  /** The query itself is wrong. */
  readonly refused: boolean;
  readonly onQuery: (q: string) => void;
  readonly onRange: (range: Range) => void;
}

/** Questions that are asked on the side, each a search of its own. */
const mostOffers = 4;
const always: Range = { from: "", to: "" };

export const NothingFound = ({ q, range, place, utc, stats, refused, onQuery, onRange }: NothingFoundProps) => {
  const offers = refused ? [] : withoutTerms(q).slice(0, mostOffers);
  return (
    <Empty title={refused ? "The query needs a change" : "No event was found"}>
      <p className="soft">
        {describeRange(range, utc, Date.now())}
        {q === "" ? null : (
          <>
            , for <code>{q}</code>
          </>
        )}
        {stats === undefined ? "" : `, ${number.format(stats.rows)} rows read`}.
      </p>
      <div className="row wrap">
        {(refused ? [] : valueTerms(q).slice(0, mostOffers)).map((term) => (
          <Nearest key={`${term.field}:${term.value}`} {...term} {...{ range, place, onQuery }} />
        ))}
        {offers.map(({ term, rest }) => (
          <Offer key={term} q={rest} {...{ range, place }} onTake={() => onQuery(rest)}>
            Without <code className="cut">{term}</code>
          </Offer>
        ))}
        {range.from === "" ? null : (
          <Offer q={refused ? "" : q} range={always} place={place} onTake={() => onRange(always)}>
            Look at all time
          </Offer>
        )}
        {q === "" || offers.some(({ rest }) => rest === "") ? null : (
          <Button onClick={() => onQuery("")}>Without the query</Button>
        )}
      </div>
    </Empty>
  );
};

interface OfferProps {
  readonly q: string;
  readonly range: Range;
  readonly place: string;
  readonly onTake: () => void;
  readonly children: React.ReactNode;
}

/** With how many it would find; where it would find nothing either, it is not offered. */
const Offer = ({ q, range, place, onTake, children }: OfferProps) => {
  const matches = useMatches(q, range, place);
  return matches.data === 0 ? null : (
    <Button onClick={onTake}>
      {children}
      {matches.data === undefined ? null : <span className="faint figures">{compact.format(matches.data)}</span>}
    </Button>
  );
};

interface NearestProps extends Pick<NothingFoundProps, "range" | "place" | "onQuery"> {
  readonly field: string;
  readonly value: string;
  readonly withValue: (value: string) => string;
}

/** A value that is there and nearly what was written. */
const Nearest = ({ field, value, withValue, range, place, onQuery }: NearestProps) => {
  const known = useKnownValues(field, range, place).data?.map((one) => one.value) ?? [];
  const meant = known.includes(value) ? undefined : nearest(value, known);
  if (meant === undefined) return null;
  const q = withValue(meant);
  return (
    <Button onClick={() => onQuery(q)}>
      Did you mean <code className="cut">{filterOf(field, meant)}</code>
    </Button>
  );
};
