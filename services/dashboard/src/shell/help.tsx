/** `?`: the keys that work on this page, and the query language on one screen. */
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
        </section>
      </div>
    </Modal>
  );
};
