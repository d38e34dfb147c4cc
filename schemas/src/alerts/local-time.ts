/** What clocks in a zone show, and whether a weekly schedule is on by them. */
import type { z } from "zod";
import type { scheduleShape } from "./rule.ts";

export const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const formats = new Map<string, Intl.DateTimeFormat>();
const formatOf = (zone: string): Intl.DateTimeFormat => {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-GB", {
    ...{ timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit" },
    ...{ hour: "2-digit", minute: "2-digit" },
  });
  formats.set(zone, made);
  return made;
};

/** Days since 1970-01-01 and minutes since midnight. */
export const localTime = (at: number, zone: string): { day: number; minute: number } => {
  const parts = formatOf(zone).formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((one) => one.type === type)?.value);
  return {
    day: Date.UTC(of("year"), of("month") - 1, of("day")) / 86_400_000,
    minute: of("hour") * 60 + of("minute"),
  };
};

export const minutesOf = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
};

export type Schedule = z.output<typeof scheduleShape>;

/** 1970-01-01 was a Thursday. */
const weekday = (day: number): Schedule["days"][number] => days[(((day + 3) % 7) + 7) % 7] ?? "mon";

/** One that ends before it begins goes on into the next day, and belongs to the day it begins on. */
export const isWithin = (schedule: Schedule, at: number): boolean => {
  const { day, minute } = localTime(at, schedule.timezone);
  const [from, to] = [minutesOf(schedule.from), minutesOf(schedule.to)];
  const on = (one: number) => schedule.days.includes(weekday(one));
  if (from < to) return on(day) && minute >= from && minute < to;
  return (on(day) && minute >= from) || (on(day - 1) && minute < to);
};
