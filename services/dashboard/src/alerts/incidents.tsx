/** What fires and what has fired; newest first. */
import { Link } from "wouter";
import { useMay } from "../account/acts.tsx";
import { useAddress } from "../shell/address.ts";
import { Button } from "../ui/controls.tsx";
import { List, Read, Section } from "../ui/parts.tsx";
import { Empty } from "../ui/states.tsx";
import { formatAgo } from "../ui/time.ts";
import { groupWords, type Incident, stateWords, useIncidents, useRules } from "./data.ts";

export const State = ({ of: { state, closed, incident } }: { of: Incident }) => (
  <>
    <span className={closed ? "soft" : "warn"}>{stateWords(state)}</span>
    {incident.hold === "" ? null : <div className="faint small">held back: {incident.hold}</div>}
  </>
);

export const Incidents = () => {
  const address = useAddress();
  const all = address.get("all") === "1";
  const rule = address.get("rule");
  const incidents = useIncidents({ open: !all, rule });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = incidents;
  return (
    <Section
      title={rule === "" ? "Incidents" : `Incidents of ${rule}`}
      about={
        all
          ? "What rules have found, the newest first."
          : "What rules have found and not seen end yet, the newest first."
      }
      act={
        <div className="row">
          {rule === "" ? null : (
            <Button small onClick={() => address.set({ rule: "" })}>
              Of all rules
            </Button>
          )}
          <Button small onClick={() => address.set({ all: all ? "" : "1" })}>
            {all ? "Only open ones" : "Closed ones, too"}
          </Button>
        </div>
      }
    >
      <Read from={incidents} what="the incidents">
        {({ pages }) =>
          pages[0]?.incidents.length === 0 ? (
            <NothingFires all={all} />
          ) : (
            <>
              <List heads={["Incident", "State", "-Severity", "Since"]}>
                {pages
                  .flatMap((page) => page.incidents)
                  .map((one) => (
                    <tr key={one.id}>
                      <td>
                        <Link href={`/alerts/incidents/${one.id}`}>{one.incident.ruleName || one.rule}</Link>
                        <div className="faint small mono break">{groupWords(one.incident.group)}</div>
                        <div className="soft small break">{one.incident.latest.found}</div>
                      </td>
                      <td>
                        <State of={one} />
                      </td>
                      <td className="wide-only">{one.incident.severity}</td>
                      <td className="figures">{formatAgo(one.created_at)}</td>
                    </tr>
                  ))}
              </List>
              {hasNextPage ? (
                <div className="row">
                  <Button small busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                    Show older ones
                  </Button>
                </div>
              ) : null}
            </>
          )
        }
      </Read>
    </Section>
  );
};

/** Calm, or nobody who looks: the two must not be taken for each other. */
const NothingFires = ({ all }: { all: boolean }) => {
  const rules = useRules().data?.rules.filter(({ standing }) => standing.state !== "off").length;
  const may = useMay();
  if (rules !== 0)
    return (
      <p className="soft small">
        {all ? "No rule has found anything yet." : "Nothing fires."}
        {rules === undefined ? "" : ` ${rules === 1 ? "One rule looks" : `${rules} rules look`} at what comes.`}
      </p>
    );
  return (
    <Empty title="No rule looks at what comes">
      <p className="soft">
        A rule tells when something happens, grows, fails or stays away. It can be tried on what is stored.
      </p>
      {may("alerts.write") ? (
        <Link className="button button-primary" href="/alerts/new-rule">
          Make a rule
        </Link>
      ) : null}
    </Empty>
  );
};
