/** The trail, newest first, and one event of it. */
import { auditActions } from "@astralog/schemas/audit";
import { X } from "lucide-react";
import { useState } from "react";
import { useAddress } from "../shell/address.ts";
import { useCommands } from "../shell/commands.tsx";
import { Button, classes, Field, Input } from "../ui/controls.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { Empty } from "../ui/states.tsx";
import { formatAgo, formatStamp } from "../ui/time.ts";
import { actorWords, type Filter, filterNames, useTrail } from "./data.ts";
import { EventDialog } from "./event-dialog.tsx";

export const Trail = () => {
  const address = useAddress();
  const filter = Object.fromEntries(filterNames.map((name) => [name, address.get(name)])) as Filter;
  const trail = useTrail(filter);
  const seq = Number(address.get("seq"));
  const filtered = filterNames.some((name) => filter[name] !== "");
  const clear = (): void => address.set(Object.fromEntries(filterNames.map((name) => [name, ""])));
  useCommands(filtered ? [{ id: "clear", title: "Clear the filters", section: "Audit", run: clear }] : []);
  return (
    <Section
      title="Audit trail"
      act={
        filtered ? (
          <Button small look="quiet" icon={<X size={14} />} onClick={clear}>
            Clear the filters
          </Button>
        ) : null
      }
    >
      <Filters key={JSON.stringify(filter)} filter={filter} onFilter={(changes) => address.set(changes)} />
      <Read from={trail} what="the trail">
        {({ pages }) => {
          const events = pages.flatMap((page) => page.events);
          if (events.length === 0)
            return (
              <Empty title="No event is like that">
                <p className="soft">Actor and target are ids as the trail has them: open an event to see its own.</p>
                <Button onClick={clear}>Show the whole trail</Button>
              </Empty>
            );
          return (
            <>
              <List heads={["When", "Who", "What", "-On", "-From", "-Result"]}>
                {events.map((event) => (
                  <tr key={event.seq}>
                    <td className="soft figures whole" title={formatStamp(event.at, true)}>
                      {formatAgo(event.at)}
                    </td>
                    <td className="cut who">{actorWords(event)}</td>
                    <td>
                      <button
                        type="button"
                        className="link mono"
                        aria-label={`${event.action}, event ${event.seq}`}
                        onClick={() => address.set({ seq: String(event.seq) })}
                      >
                        {event.action}
                      </button>
                      {event.result === "ok" ? null : <div className="warn small narrow-only">{event.result}</div>}
                    </td>
                    <td className="wide-only soft mono small">{event.target.id || event.target.kind}</td>
                    <td className="wide-only faint mono small">{event.where.ip}</td>
                    <td className={classes("wide-only", event.result !== "ok" && "warn")}>{event.result}</td>
                  </tr>
                ))}
              </List>
              {trail.hasNextPage ? (
                <div className="row">
                  <Button busy={trail.isFetchingNextPage} onClick={() => void trail.fetchNextPage()}>
                    Show older ones
                  </Button>
                </div>
              ) : (
                <p className="faint small">That is the beginning.</p>
              )}
            </>
          );
        }}
      </Read>
      {seq > 0 ? (
        <EventDialog
          seq={seq}
          onSeq={(next) => address.set({ seq: String(next) }, true)}
          onFilter={(changes) => address.set({ ...changes, seq: "" })}
          onClose={() => address.set({ seq: "" })}
        />
      ) : null}
    </Section>
  );
};

type Changes = Readonly<Partial<Filter>>;

const Filters = ({ filter, onFilter }: { filter: Filter; onFilter: (changes: Filter) => void }) => {
  const [given, setGiven] = useState(filter);
  const set = (changes: Changes): void => setGiven({ ...given, ...changes });
  const text = (name: "actor" | "target" | "from" | "to", label: string, placeholder: string) => (
    <Field label={label}>
      {(ids) => (
        <Input
          {...ids}
          placeholder={placeholder}
          value={given[name]}
          onChange={(event) => set({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        onFilter(given);
      }}
    >
      <Field label="Action">
        {(ids) => (
          <select
            {...ids}
            className="input"
            value={given.action}
            onChange={(event) => onFilter({ ...given, action: event.target.value })}
          >
            <option value="">every one</option>
            {auditActions.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      {text("actor", "Actor", "usr_… or key_…")}
      {text("target", "Target", "src_…, key_…")}
      {text("from", "From", "-7d, 2026-03-01")}
      {text("to", "To", "now")}
      <Button type="submit">Filter</Button>
    </form>
  );
};
