/** What Explore does by its keys. */
import { useCommands } from "../shell/commands.tsx";
import { shift, widen } from "./time-range.ts";
import type { ExploreUrl } from "./url-state.ts";

interface Acts {
  readonly focusQuery: () => void;
  readonly pickTime: () => void;
  readonly refresh: () => void;
  /** So many events down the list. */
  readonly step: (by: number) => void;
  /** Opens the first event where none is; else the keyboard goes into the one that is open. */
  readonly enter: () => void;
  /** Opens the first event, or closes the one that is open. */
  readonly toggle: () => void;
  readonly mark: () => void;
}

const section = "Explore";

export const useExploreCommands = ({ state, change }: ExploreUrl, acts: Acts): void => {
  const { range, wrap, utc } = state;
  const move = (share: number) => (): void => change({ range: shift(range, share, Date.now()) });
  const scale = (factor: number) => (): void => change({ range: widen(range, factor, Date.now()) });
  useCommands([
    { id: "ask", title: "Write a query", section, keys: "/", run: acts.focusQuery },
    { id: "time", title: "Choose the time", section, keys: "t", run: acts.pickTime },
    { id: "again", title: "Search again", section, keys: "r", run: acts.refresh },
    { id: "next", title: "Next event", section, keys: "j", quiet: true, run: () => acts.step(1) },
    { id: "before", title: "Event before", section, keys: "k", quiet: true, run: () => acts.step(-1) },
    { id: "enter", title: "Into the event", section, keys: "enter", quiet: true, run: acts.enter },
    { id: "toggle", title: "Open or close the event", section, keys: "space", quiet: true, run: acts.toggle },
    {
      ...{ id: "close", title: "Close the event", section, keys: "escape", quiet: true },
      run: () => change({ event: undefined }),
    },
    { id: "earlier", title: "Earlier", section, keys: "shift+arrowleft", run: move(-0.5) },
    { id: "later", title: "Later", section, keys: "shift+arrowright", run: move(0.5) },
    { id: "wider", title: "Twice the time", section, keys: "-", run: scale(2) },
    { id: "narrower", title: "Half the time", section, keys: "+", run: scale(0.5) },
    { id: "mark", title: "Mark a moment", section, keys: "m", also: "annotation deploy note", run: acts.mark },
    { id: "wrap", title: "Wrap long messages", section, keys: "w", run: () => change({ wrap: !wrap }) },
    {
      ...{ id: "utc", title: utc ? "Show local times" : "Show times in UTC", section, keys: "u" },
      run: () => change({ utc: !utc }),
    },
  ]);
};
