/** What was read for what is shown; while a search runs, how far it is, and a way to end it. */
import { useQueryClient } from "@tanstack/react-query";
import { Button } from "../ui/controls.tsx";
import { Waiting } from "../ui/states.tsx";
import { formatBytes, formatDuration, number } from "../ui/time.ts";
import type { Stats } from "./data.ts";
import { type Progress, shareDone } from "./search-stream.ts";
import { boundsOf, type Range } from "./time-range.ts";

interface SearchStatusProps {
  readonly running: boolean;
  readonly progress: Progress | undefined;
  readonly range: Range;
  /** What is shown: "200+ events". */
  readonly found: string;
  readonly stats: Stats | undefined;
}

const read = ({ rows, bytes }: Stats): string => `read ${number.format(rows)} rows, ${formatBytes(bytes)}`;

/** "12 % searched, 3 found, read 1,200,000 rows, 90 MB": the share only where the time has a beginning. */
const farness = ({ stats, events, ...progress }: Progress, range: Range): string => {
  const [from, to] = boundsOf(range, Date.now());
  const share = `${Math.floor(shareDone({ stats, events, ...progress }, from, to) * 100)} % searched`;
  return `${range.from === "" ? `Searched back to ${progress.searchedFrom.slice(0, 16).replace("T", " ")}` : share}, ${number.format(events)} found, ${read(stats)}`;
};

export const SearchStatus = ({ running, progress, range, found, stats }: SearchStatusProps) => {
  const client = useQueryClient();
  return (
    <>
      <p className="small soft figures grow cut" role="status">
        {running && progress !== undefined
          ? farness(progress, range)
          : stats === undefined
            ? ""
            : `${found} · ${read(stats)} in ${formatDuration(stats.ms)}`}
      </p>
      {running ? (
        <>
          <Waiting what="Searching" />
          <Button
            small
            look="quiet"
            onClick={() => ["events", "table"].forEach((key) => void client.cancelQueries({ queryKey: [key] }))}
          >
            Cancel
          </Button>
        </>
      ) : null}
    </>
  );
};
