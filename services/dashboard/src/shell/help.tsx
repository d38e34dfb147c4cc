/** `?`: the keys that work on this page, and the query language on one screen. */
import { Link } from "wouter";
import { Modal } from "../ui/overlays.tsx";
import { showKeys, useAllCommands } from "./commands.tsx";

const language: readonly (readonly [string, string])[] = [
  ["timeout refused", "both words, in any order and case"],
  ['"connection refused"', "the words next to each other"],
  ["service:api-*", "a field's whole value, * is anything"],
  ["level:>=warn", "warn, error and fatal"],
  ["latency_ms:[100 TO 500]", "a number between, both ends in"],
  ["user.plan:*", "events that have the field"],
  ["(user:ann OR user:bo) -status:200", "groups, either, and not"],
  ["trace_id:4bf92f35…", "everything of one trace"],
  ["/user=\\d+/  latency:>1.5s", "a regular expression, a span of time"],
  ["level:error | stats count() by service", "a table of what was found"],
];

export const Help = ({ open, onClose }: { open: boolean; onClose: () => void }) => {
  const commands = useAllCommands().filter(({ keys }) => keys !== undefined);
  const sections = Map.groupBy(commands, ({ section }) => section);
  return (
    <Modal open={open} onClose={onClose} title="Keys and the query language" wide>
      <div className="help">
        <section>
          <h3>Keys</h3>
          {[...sections].map(([section, list]) => (
            <dl key={section} className="help-list">
              <dt className="menu-label">{section}</dt>
              {list.map((command) => (
                <dd key={command.id}>
                  <span className="grow">{command.title}</span>
                  <kbd className="key">{showKeys(command.keys ?? "")}</kbd>
                </dd>
              ))}
            </dl>
          ))}
        </section>
        <section>
          <h3>Queries</h3>
          <dl className="help-language">
            {language.map(([text, about]) => (
              <div key={text}>
                <dt className="mono">{text}</dt>
                <dd className="soft small">{about}</dd>
              </div>
            ))}
          </dl>
          <p className="small">
            <Link href="/help/query" onClick={onClose}>
              The whole language, with examples
            </Link>
          </p>
        </section>
      </div>
    </Modal>
  );
};
