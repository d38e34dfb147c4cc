/** One part of the page: what it is for, its list, and what went wrong. */
import { type ReactNode, useId, useState } from "react";
import { Wrong } from "../account/frame.tsx";
import { said } from "../account/session.ts";
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

/** Runs what a button does; what it throws is shown in the part. */
export const useRun = (
  guard: <T>(work: () => Promise<T>) => Promise<T>,
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
  readonly guard: <T>(work: () => Promise<T>) => Promise<T>;
  readonly mayWrite: boolean;
}
