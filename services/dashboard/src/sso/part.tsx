/** One part of the page: what it is for, its list, and what went wrong. */
import { type ReactNode, useId, useState } from "react";
import { Wrong } from "../account/frame.tsx";
import { said } from "../account/session.ts";
import type { Guard } from "../account/step-up.tsx";
import { Button, Field, Input } from "../ui/controls.tsx";
import { Failed, Waiting } from "../ui/states.tsx";

interface Asked {
  readonly isPending: boolean;
  readonly isError: boolean;
  readonly error: unknown;
  refetch(): unknown;
}

interface PartProps {
  readonly title: string;
  readonly about: ReactNode;
  readonly asked: Asked;
  readonly wrong: string | undefined;
  readonly children: ReactNode;
}

export const Part = ({ title, about, asked, wrong, children }: PartProps) => {
  const id = useId();
  return (
    <section className="account-part" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <p className="soft">{about}</p>
      {asked.isPending ? <Waiting /> : null}
      {asked.isError ? (
        <Failed error={asked.error} what={`${title} could not be read`} onRetry={() => void asked.refetch()} />
      ) : null}
      {children}
      {wrong === undefined ? null : <Wrong>{wrong}</Wrong>}
    </section>
  );
};

interface AddLineProps {
  readonly label: string;
  readonly placeholder: string;
  readonly button: string;
  readonly onAdd: (text: string) => Promise<void>;
}

/** One line of text that adds something to the list above it. */
export const AddLine = ({ label, placeholder, button, onAdd }: AddLineProps) => {
  const [text, setText] = useState("");
  return (
    <form
      className="account-line"
      onSubmit={(event) => {
        event.preventDefault();
        void onAdd(text).then(() => setText(""));
      }}
    >
      <Field label={label}>
        {(ids) => (
          <Input
            {...ids}
            required
            maxLength={253}
            placeholder={placeholder}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit">{button}</Button>
    </form>
  );
};

/** Runs what a button does; what it throws is shown in the part. */
export const useRun = (
  guard: Guard,
  then: () => Promise<void>,
): [string | undefined, (work: () => Promise<unknown>) => Promise<void>] => {
  const [wrong, setWrong] = useState<string>();
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    setWrong(undefined);
    try {
      await guard(work);
    } catch (error) {
      setWrong(said(error));
    }
    await then();
  };
  return [wrong, run];
};

export interface PartsProps {
  readonly guard: Guard;
  readonly mayWrite: boolean;
}
