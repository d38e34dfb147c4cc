/** Text that people give, in one line: it is shown in lists, trails and mails. */
import { z } from "zod";

export const lineOf = (least: number, most: number, tooShort?: string) =>
  z
    .string()
    .trim()
    .min(least, tooShort)
    .max(most)
    .regex(/^[^\p{C}]*$/u, "may hold no control characters");

export const nameShape = lineOf(1, 100);
