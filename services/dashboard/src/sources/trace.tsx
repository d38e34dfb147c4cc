/** "Where did my event go?": the way of acknowledged events, from the ledger. */
import { Route } from "lucide-react";
import { useState } from "react";
import { Button, Input } from "../ui/controls.tsx";
import { Failed, Waiting } from "../ui/states.tsx";
import { useReceipt } from "./data.ts";
import { Way } from "./way.tsx";

export const Trace = ({ text, onText }: { text: string; onText: (text: string) => void }) => {
  const [typed, setTyped] = useState(text);
  const receipt = useReceipt(text);
  const event = /^(?:[\w.-]+:)?\d+-\d+-\d+$/.test(text) ? text : undefined;
  return (
    <section aria-label="Where did my event go?" className="stack-small">
      <h2>Where did my event go?</h2>
      <p className="soft small">
        Paste the receipt of an answer (<code>3-1742x100</code>) or an event's id (<code>3-1742-0</code>).
      </p>
      <form
        className="row"
        onSubmit={(given) => {
          given.preventDefault();
          onText(typed.trim());
        }}
      >
        <Input
          aria-label="Receipt or event id"
          className="mono trace-input"
          placeholder="3-1742x100"
          value={typed}
          onChange={(given) => setTyped(given.target.value)}
        />
        <Button type="submit" icon={<Route size={14} />}>
          Trace
        </Button>
      </form>
      <div aria-live="polite">
        {text === "" ? null : receipt.isPending ? (
          <Waiting what="Asking the ledger" />
        ) : receipt.isError ? (
          <Failed what="It cannot be traced" error={receipt.error} />
        ) : (
          receipt.data.records.map((record) => (
            <Way key={record.record} record={record} event={event} ofEvent={event !== undefined} />
          ))
        )}
      </div>
    </section>
  );
};
