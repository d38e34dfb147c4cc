/** What a message would say: of an example, or of what a rule might find. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { post } from "../api/client.ts";
import { useDestinations } from "./data.ts";
import { tryable } from "./rule-data.ts";
import type { Draft } from "./rule-draft.ts";

export interface Template {
  readonly title: string;
  readonly text: string;
}

export const useMessage = ({ title, text }: Template, rule?: Draft) => {
  const body = { title, text, ...(rule === undefined ? {} : { rule: tryable(rule) }) };
  return useQuery({
    queryKey: ["alert-preview", JSON.stringify(body)],
    queryFn: () => post<Template>("/alerts/destinations/preview", body),
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
    retry: false,
  });
};

export const Example = ({ of: message, label }: { of: ReturnType<typeof useMessage>; label: string }) =>
  message.data === undefined ? null : (
    <figure className={message.isPlaceholderData ? "block is-stale" : "block"} aria-label={label}>
      <strong>{message.data.title}</strong>
      {"\n"}
      {message.data.text}
    </figure>
  );

/** By the words of the first whom the rule tells. */
export const RuleMessage = ({ of: rule }: { of: Draft }) => {
  const all = useDestinations().data?.destinations ?? [];
  const told = rule.notify ?? [];
  const readers = all.filter(({ kind }) => kind !== "on_call" && kind !== "escalation");
  const first = readers.find(({ id, standard }) => (told.length === 0 ? standard : told.includes(id)));
  const message = useMessage(first?.template ?? { title: "", text: "" }, rule);
  if (message.data === undefined) return null;
  return (
    <div className="stack-small">
      <h3>It would say{first === undefined ? "" : ` to ${first.name}`}</h3>
      <Example of={message} label="A message of this rule" />
    </div>
  );
};
