import { useState } from "react";
import { said } from "./session.ts";

/** Runs one thing at a time, and keeps what went wrong until the next: `busy` names what runs. Tells whether it went well. */
export const useWork = (before?: () => string | undefined) => {
  const [busy, setBusy] = useState<string>();
  const [wrong, setWrong] = useState<string | undefined>(before);
  const run = async (work: () => Promise<unknown>, what = "work"): Promise<boolean> => {
    setBusy(what);
    setWrong(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      setWrong(said(error));
      return false;
    } finally {
      setBusy(undefined);
    }
  };
  return { busy, wrong, run };
};
