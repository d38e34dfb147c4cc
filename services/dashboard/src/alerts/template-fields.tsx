/** Own words for a destination's messages, and an example of what comes of them. */
import { asProblem } from "../api/client.ts";
import { Field, Input } from "../ui/controls.tsx";
import { Example, type Template, useMessage } from "./message-example.tsx";
import { useSettled } from "./rule-data.ts";

export const TemplateFields = ({
  of: template,
  onChange,
}: {
  of: Template;
  onChange: (template: Template) => void;
}) => {
  const preview = useMessage(useSettled(template, 400));
  const wrong = preview.isError ? asProblem(preview.error) : undefined;
  return (
    <details open={template.title !== "" || template.text !== ""}>
      <summary className="small">What messages say</summary>
      <div className="stack-small">
        <Field label="Title" hint="Empty: [{{severity}}] {{rule}}: {{state}} for {{group}}" error={wrong?.fields.title}>
          {(ids) => (
            <Input
              {...ids}
              value={template.title}
              onChange={({ target }) => onChange({ ...template, title: target.value })}
            />
          )}
        </Field>
        <Field
          label="Text"
          hint="rule, severity, state, group, found, value, since, until, incidents, events, query, description, owners, runbook, count, at, search, incident, labels.x, group.x"
          error={wrong?.fields.text}
        >
          {(ids) => (
            <textarea
              {...ids}
              className="input"
              rows={3}
              placeholder="{{incidents}}"
              value={template.text}
              onChange={({ target }) => onChange({ ...template, text: target.value })}
            />
          )}
        </Field>
        <Example of={preview} label="An example" />
      </div>
    </details>
  );
};
