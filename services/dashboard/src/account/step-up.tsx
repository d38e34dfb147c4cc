/** Runs what may ask for a second factor of a moment ago: asks for it, and then goes on where it was stopped. */
import { type ReactNode, useCallback, useRef, useState } from "react";
import { Link } from "wouter";
import { Problem } from "../api/client.ts";
import { Modal } from "../ui/overlays.tsx";
import { SecondFactor } from "./second-factor.tsx";
import type { Me } from "./session.ts";

/** Rejects as the work does, and with `step_up_required` when the dialog is closed. */
export type Guard = <T>(work: () => Promise<T>) => Promise<T>;

export const useStepUp = (me: Me | undefined): [Guard, ReactNode] => {
  const [open, setOpen] = useState(false);
  const waiting = useRef<(proven: boolean) => void>(undefined);
  const finish = (proven: boolean): void => {
    setOpen(false);
    waiting.current?.(proven);
    waiting.current = undefined;
  };
  const guard = useCallback<Guard>(async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "step_up_required") throw error;
      const proven = await new Promise<boolean>((resolve) => {
        waiting.current = resolve;
        setOpen(true);
      });
      if (!proven) throw error;
      return work();
    }
  }, []);
  const held = me?.factors;
  const factors = [
    ...(held !== undefined && held.passkeys.length > 0 ? ["passkey"] : []),
    ...(held !== undefined && held.totp !== null ? ["totp"] : []),
    ...(held !== undefined && held.recovery_codes > 0 ? ["recovery-code"] : []),
  ];
  const dialog = (
    <Modal open={open} onClose={() => finish(false)} title="Show that it is you" about="This can change who gets in.">
      {factors.length > 0 ? (
        <SecondFactor factors={factors} onDone={async () => finish(true)} />
      ) : (
        <div className="stack">
          <p>
            It takes a second factor, and you have none yet. Add one, or come in again by single sign-on; then do this
            again.
          </p>
          <Link href="/account" className="button button-primary" onClick={() => finish(false)}>
            Go to your account
          </Link>
        </div>
      )}
    </Modal>
  );
  return [guard, dialog];
};
