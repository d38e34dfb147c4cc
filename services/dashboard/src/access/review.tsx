/** Who holds what, when it was last used, and the end of what is not: shown first, then done. */
import { useState } from "react";
import { Link } from "wouter";
import { type Acts, ConfirmDialog, useActs, useMay } from "../account/acts.tsx";
import { post } from "../api/client.ts";
import { useAddress } from "../shell/address.ts";
import { useCommands } from "../shell/commands.tsx";
import { Button, classes } from "../ui/controls.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { formatAgo } from "../ui/time.ts";
import { type Ended, type Held, kindWords, useReview } from "./data.ts";

const choices = [30, 90, 180, 365] as const;

export const Review = () => {
  const address = useAddress();
  const days = choices.find((one) => String(one) === address.get("days")) ?? 90;
  const mayEnd = useMay()("access.approve");
  const review = useReview(days);
  const [asking, setAsking] = useState(false);
  const [done, setDone] = useState<Ended>();
  const acts = useActs("review", "members", "keys", "producers", "grants");
  const ending = (review.data?.held ?? []).filter(({ unused, kept }) => unused && kept === "");
  useCommands(
    choices.map((one) => ({
      id: `unused-${one}`,
      title: `What was not used for ${one} days`,
      section: "Access review",
      run: () => address.set({ days: one === 90 ? "" : String(one) }),
    })),
  );
  return (
    <Section
      title="Access review"
      about="Everything that opens something here, the longest unused first. What was never used counts from the day it was made."
      act={
        <fieldset className="segmented">
          <legend className="hidden">Unused for</legend>
          {choices.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={days === one}
              onClick={() => address.set({ days: one === 90 ? "" : String(one) })}
            >
              {one} days
            </button>
          ))}
        </fieldset>
      }
    >
      <Read from={review} what="the review">
        {({ held }) => (
          <>
            <div className="sentence">
              <div className="grow" role="status">
                <span>
                  {ending.length === 0
                    ? `All ${held.length} were used in the last ${days} days, or are kept.`
                    : `Not used for ${days} days: ${ending.length} of ${held.length}.`}
                </span>
                {done === undefined ? null : <Outcome of={done} />}
              </div>
              {mayEnd && ending.length > 0 ? (
                <Button small look="danger" onClick={() => setAsking(true)}>
                  End {ending.length} unused
                </Button>
              ) : null}
            </div>
            <HeldList held={held} />
          </>
        )}
      </Read>
      {asking ? (
        <EndDialog ending={ending} days={days} acts={acts} onDone={setDone} onClose={() => setAsking(false)} />
      ) : null}
    </Section>
  );
};

const HeldList = ({ held }: { held: readonly Held[] }) => (
  <List heads={["Who or what", "Kind", "-Holds", "-Made", "Last used", "Review"]}>
    {held.map((one) => (
      <tr key={`${one.kind}/${one.id}`}>
        <td>
          <strong>{one.name}</strong>
          <div className="faint small mono wide-only">{one.id}</div>
        </td>
        <td className="soft">{kindWords[one.kind]}</td>
        <td className="wide-only soft">{one.what}</td>
        <td className="wide-only soft">{formatAgo(one.created_at)}</td>
        <td className={classes(one.unused && "warn")}>{one.used_at === null ? "never" : formatAgo(one.used_at)}</td>
        <td className="soft">
          {one.unused ? one.kept || "would end" : one.used_at === null ? "new" : <span className="good">in use</span>}
        </td>
      </tr>
    ))}
  </List>
);

const Outcome = ({ of: { ended, left } }: { of: Ended }) => (
  <span className="soft small">
    Ended {ended.length}.{" "}
    {left.length === 0 ? "" : `Left ${left.length}: ${left.map(({ id, why }) => `${id}, ${why}`).join("; ")} `}
    <Link href="/audit?action=access.reviewed">It is in the audit trail</Link>
  </span>
);

interface EndProps {
  readonly ending: readonly Held[];
  readonly days: number;
  readonly acts: Acts;
  readonly onDone: (ended: Ended) => void;
  readonly onClose: () => void;
}

const EndDialog = ({ ending, days, acts, onDone, onClose }: EndProps) => (
  <ConfirmDialog
    title={`End what was unused for ${days} days`}
    about="Members are removed, keys and producers revoked, staff access ended. None of it can be taken back; the server looks anew at what is unused."
    word={String(ending.length)}
    acts={acts}
    submit={`End ${ending.length}`}
    work={() => post<Ended>("/access/review", { unused_days: days })}
    onDone={(ended) => {
      onDone(ended);
      onClose();
    }}
    onClose={onClose}
  >
    <ul className="check-list">
      {ending.map((one) => (
        <li key={`${one.kind}/${one.id}`}>
          {kindWords[one.kind]} <strong>{one.name}</strong>{" "}
          <span className="faint">unused for {one.idle_days} days</span>
        </li>
      ))}
    </ul>
  </ConfirmDialog>
);
