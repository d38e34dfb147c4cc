/** Get started: a source, a first event, and the event on this page. Each step ticks itself. */
import "../explore/explore.css";
import "../style/pages.css";
import "./welcome.css";
import { useQuery } from "@tanstack/react-query";
import { Check, LoaderCircle } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { useActs } from "../account/acts.tsx";
import { Wrong } from "../account/frame.tsx";
import { asProblem, get, post } from "../api/client.ts";
import { EventCells } from "../explore/event-row.tsx";
import { useAddress } from "../shell/address.ts";
import { type MadeKey, type Source, useKeys, useSources } from "../sources/data.ts";
import { useTail } from "../tail/use-tail.ts";
import { Button, CopyButton, classes, Input } from "../ui/controls.tsx";
import { Snippet } from "../ui/snippet.tsx";
import { snippetsFor } from "./snippets.ts";

const example = "https://receiver.example.org";
const placeholder = "al_ing_…";

const useIntake = () =>
  useQuery({
    queryKey: ["intake"],
    queryFn: ({ signal }) => get<{ url: string }>("/intake", signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

export const WelcomePage = () => {
  const [made, setMade] = useState<MadeKey>();
  const tail = useTail("", false);
  const events = tail.lines.flatMap((line) => (line.kind === "event" ? [line.event] : [])).slice(-5);
  const sources = useSources();
  const keys = useKeys();
  const hasSource =
    made !== undefined || (keys.data ?? []).some(({ kind, revoked_at }) => kind === "ingest" && revoked_at === null);
  return (
    <div className="page">
      <ol className="steps">
        <Step number={1} title="Make a source" done={hasSource}>
          <MakeSource made={made} onMade={setMade} known={(sources.data ?? []).map(({ name }) => name)} />
        </Step>
        <Step number={2} title="Send an event" done={events.length > 0}>
          <Send apiKey={made?.key} />
        </Step>
        <Step number={3} title="Watch it arrive" done={events.length > 0}>
          {events.length === 0 ? (
            <p className="row soft" role="status">
              {tail.state === "live" ? (
                <>
                  <LoaderCircle size={14} className="turning" aria-hidden /> Listening. Your event appears here the
                  moment it is acknowledged.
                </>
              ) : tail.problem !== undefined ? (
                tail.problem.message
              ) : (
                "Connecting"
              )}
            </p>
          ) : (
            <>
              <div className="arrived" role="grid" aria-label="Events that just arrived" tabIndex={0}>
                {events.map((event) => (
                  <div key={event.id} role="row" className={`event event-${event.level || "none"}`}>
                    <EventCells event={event} marks={undefined} pinned={[]} utc={false} days={false} />
                  </div>
                ))}
              </div>
              <p className="row wrap">
                <Link href="/explore?from=-15m" className="button button-primary">
                  Search your events
                </Link>
                <Link href="/dashboards" className="button button-plain">
                  Make a dashboard of them
                </Link>
              </p>
            </>
          )}
        </Step>
      </ol>
    </div>
  );
};

const Step = ({
  number,
  title,
  done,
  children,
}: {
  number: number;
  title: string;
  done: boolean;
  children: ReactNode;
}) => (
  <li className={classes("start-step", done && "is-done")}>
    <span className="start-number figures" aria-hidden>
      {done ? <Check size={14} /> : number}
    </span>
    <div className="stack-small">
      <h2>
        {title} {done ? <span className="hidden">(done)</span> : null}
      </h2>
      {children}
    </div>
  </li>
);

const MakeSource = ({
  made,
  onMade,
  known,
}: {
  made: MadeKey | undefined;
  onMade: (key: MadeKey) => void;
  known: readonly string[];
}) => {
  const [name, setName] = useState("");
  const acts = useActs("sources", "keys");
  const make = async () => {
    const { id } = await post<Source>("/sources", { name: name.trim() });
    const key = await post<MadeKey>("/keys", { kind: "ingest", source: id, name: "first steps" });
    return () => onMade(key);
  };
  if (made !== undefined) {
    return (
      <>
        <p className="soft">
          Here is its key. It is shown this once, and stands in the examples below while this page is open.
        </p>
        <div className="secret">
          <code className="grow">{made.key}</code>
          <CopyButton text={made.key} />
        </div>
      </>
    );
  }
  return (
    <>
      <p className="soft">
        Where events come from: an application, a cluster, a customer.
        {known.length === 0
          ? ""
          : ` There ${known.length === 1 ? "is" : "are"} ${known.slice(0, 3).join(", ")}${known.length > 3 ? " and more" : ""}; a new one has a key of its own.`}
      </p>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "") void acts.run(make);
        }}
      >
        <Input
          aria-label="Name of the source"
          placeholder="web-shop"
          className="trace-input"
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" look="primary" busy={acts.busy} disabled={name.trim() === ""}>
          Make it
        </Button>
      </form>
      <Wrong>{acts.wrong}</Wrong>
    </>
  );
};

const Send = ({ apiKey }: { apiKey: string | undefined }) => {
  const address = useAddress();
  const intake = useIntake();
  const url = intake.data?.url || example;
  const snippets = snippetsFor(url, apiKey ?? placeholder);
  const chosen = snippets.find(({ id }) => id === address.get("with")) ?? snippets[0];
  if (chosen === undefined) return null;
  return (
    <>
      <div className="segmented tabs" role="tablist" aria-label="Send with">
        {snippets.map(({ id, name }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === chosen.id}
            aria-controls="snippet"
            onClick={() => address.set({ with: id }, true)}
          >
            {name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="snippet" aria-labelledby={`tab-${chosen.id}`} className="stack-small">
        <p className="soft small">{chosen.about}</p>
        <Snippet text={chosen.text} />
        {apiKey === undefined ? (
          <p className="faint small">
            Make a source above and its key stands here, or put a key of your own in the place of {placeholder}
          </p>
        ) : null}
        {intake.data?.url === "" ? (
          <p className="faint small">
            {example} stands for your receiver: whoever runs this server can name it in PUBLIC_RECEIVER_URL.
          </p>
        ) : null}
        {intake.isError ? <p className="field-note is-wrong">{asProblem(intake.error).message}</p> : null}
      </div>
    </>
  );
};
