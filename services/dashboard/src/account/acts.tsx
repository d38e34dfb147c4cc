/** What changes something: who may, the second factor where one is asked for, and the dialog that asks before. */
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Problem } from "../api/client.ts";
import { Button, Field, Input } from "../ui/controls.tsx";
import { Modal } from "../ui/overlays.tsx";
import { Wrong } from "./frame.tsx";
import { currentOrganization, useMe } from "./session.ts";
import { useStepUp } from "./step-up.tsx";
import { useWork } from "./use-work.ts";

/** With a query key the server alone knows: it is let try, and told no. */
export const useMay = (): ((permission: string) => boolean) => {
  const permissions = currentOrganization(useMe().data)?.permissions;
  return (permission) => permissions?.includes(permission) ?? true;
};

export interface Acts {
  readonly busy: boolean;
  readonly wrong: string | undefined;
  /** Reads `stale` again when it is done, also when somebody else was faster; then runs what the work left to do. */
  run(work: () => Promise<unknown>): Promise<void>;
  readonly dialog: ReactNode;
}

const faster = "Somebody else changed it a moment ago. What holds now is shown: look at it, then save again.";

/** `stale`: the first words of the queries that an act here makes out of date. */
export const useActs = (...stale: readonly string[]): Acts => {
  const client = useQueryClient();
  const [guard, dialog] = useStepUp(useMe().data);
  const { busy, wrong, run } = useWork();
  const refresh = () => Promise.all(stale.map((name) => client.invalidateQueries({ queryKey: [name] })));
  return {
    busy: busy !== undefined,
    wrong,
    dialog,
    run: async (work) => {
      let left: unknown;
      const done = await run(async () => {
        try {
          left = await guard(work);
        } catch (error) {
          if (!(error instanceof Problem) || !["changed", "not_found"].includes(error.code)) throw error;
          await refresh();
          throw error.code === "changed" ? new Problem({ ...error, message: faster }) : error;
        }
        await refresh();
      });
      if (done && typeof left === "function") left();
    },
  };
};

interface DialogProps<Made> {
  readonly title: string;
  readonly about?: ReactNode;
  readonly acts: Acts;
  readonly submit: string;
  readonly keep?: string;
  readonly wide?: boolean;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  readonly work: () => Promise<Made>;
  /** In place of `onClose`. */
  readonly onDone?: (made: Made) => void;
  readonly onClose: () => void;
  readonly children?: ReactNode;
}

/** A form that does one thing, and closes when it is done. */
export const ActDialog = <Made,>({
  title,
  about,
  acts,
  submit,
  keep = "Cancel",
  wide,
  work,
  onDone,
  onClose,
  ...rest
}: DialogProps<Made>) => (
  <Modal
    open
    onClose={onClose}
    title={title}
    {...(about === undefined ? {} : { about })}
    {...(wide === undefined ? {} : { wide })}
  >
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (rest.disabled === true) return;
        void acts.run(async () => {
          const made = await work();
          return () => (onDone === undefined ? onClose() : onDone(made));
        });
      }}
    >
      {rest.children}
      <Wrong>{acts.wrong}</Wrong>
      <div className="row end">
        <Button onClick={onClose}>{keep}</Button>
        <Button
          type="submit"
          look={rest.danger === true ? "danger" : "primary"}
          busy={acts.busy}
          disabled={rest.disabled === true}
        >
          {submit}
        </Button>
      </div>
    </form>
    {acts.dialog}
  </Modal>
);

/** Before what cannot be taken back: the name is typed. */
export const ConfirmDialog = <Made,>({
  word,
  ...rest
}: Omit<DialogProps<Made>, "danger" | "disabled"> & { word: string }) => {
  const [typed, setTyped] = useState("");
  return (
    <ActDialog keep="Keep it" {...rest} danger disabled={typed.trim() !== word}>
      {rest.children}
      <Field label={`Type ${word} to confirm`}>
        {(ids) => <Input {...ids} autoFocus value={typed} onChange={(event) => setTyped(event.target.value)} />}
      </Field>
    </ActDialog>
  );
};
