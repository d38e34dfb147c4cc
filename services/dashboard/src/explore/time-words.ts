/**
 * Times as people say them: "20m", "last 3 days", "yesterday 14:00 to 15:00", "since monday", "2026-11-24 9:30 to 10".
 * Days and hours are those of the zone the page shows. Anything that cannot be understood whole is refused whole.
 */
import { absolute, type Range } from "./time-range.ts";

const units: Readonly<Record<string, string>> = {
  s: "s",
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  m: "m",
  min: "m",
  mins: "m",
  minute: "m",
  minutes: "m",
  h: "h",
  hr: "h",
  hrs: "h",
  hour: "h",
  hours: "h",
  d: "d",
  day: "d",
  days: "d",
  w: "w",
  week: "w",
  weeks: "w",
};
const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** A calendar in one zone: UTC, or the browser's own. */
interface Calendar {
  at(year: number, month: number, day: number, hour?: number, minute?: number, second?: number): number;
  parts(ms: number): { year: number; month: number; day: number; weekday: number };
}

const utcCalendar: Calendar = {
  at: (year, month, day, hour = 0, minute = 0, second = 0) => Date.UTC(year, month, day, hour, minute, second),
  parts: (ms) => {
    const date = new Date(ms);
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth(),
      day: date.getUTCDate(),
      weekday: date.getUTCDay(),
    };
  },
};
const localCalendar: Calendar = {
  at: (year, month, day, hour = 0, minute = 0, second = 0) =>
    new Date(year, month, day, hour, minute, second).getTime(),
  parts: (ms) => {
    const date = new Date(ms);
    return { year: date.getFullYear(), month: date.getMonth(), day: date.getDate(), weekday: date.getDay() };
  },
};

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}
/** A moment and how long it lasts in speech: a day, or nothing. */
interface Spoken {
  readonly from: number;
  readonly to: number;
  readonly day: Day;
}

export const readRange = (text: string, now: number, utc: boolean): Range | undefined => {
  const said = text.trim().toLowerCase().replace(/[–—]/g, "-").replace(/\s+/g, " ");
  if (said === "all" || said === "all time" || said === "ever") return { from: "", to: "" };
  const ago = /^(?:(?:the )?(?:last|past)|-)? ?(\d{1,6})? ?([a-z]+)(?: ago)?$/.exec(said);
  if (ago !== null) {
    const unit = Object.hasOwn(units, ago[2] ?? "") ? units[ago[2] ?? ""] : undefined;
    const named = /^(?:the )?(?:last|past) /.test(said);
    // "last week" is a calendar week, below; "last hour" and "last day" are not.
    if (unit !== undefined && (ago[1] !== undefined || (named && unit !== "w")))
      return { from: `-${Number(ago[1] ?? 1)}${unit}`, to: "" };
  }
  const calendar = utc ? utcCalendar : localCalendar;
  const whole = wholePeriod(said, now, calendar);
  if (whole !== undefined) return whole;

  const since = /^(?:since|from|after) (.+)$/.exec(said);
  const ends = splitEnds(since !== null && !/ (?:to|until|till) /.test(said) ? (since[1] ?? "") : said);
  if (ends === undefined) return undefined;
  const first = spoken(ends[0], now, calendar);
  if (first === undefined) return undefined;
  if (since !== null && ends[1] === undefined) return { from: new Date(first.from).toISOString(), to: "" };
  if (ends[1] === undefined) return first.to > first.from ? absolute(first.from, first.to) : undefined;
  if (ends[1] === "now") return { from: new Date(first.from).toISOString(), to: "" };
  const last = spoken(ends[1], now, calendar, first.day);
  if (last === undefined) return undefined;
  // "23:00 to 01:00" goes over midnight.
  const onlyTime = clock.test(ends[1]) && last.to <= first.from;
  const to = onlyTime
    ? calendar.at(first.day.year, first.day.month, first.day.day + 1) + (last.to - startOf(first.day, calendar))
    : last.to;
  return to > first.from ? absolute(first.from, to) : undefined;
};

const startOf = ({ year, month, day }: Day, calendar: Calendar): number => calendar.at(year, month, day);

const splitEnds = (said: string): readonly [string, string | undefined] | undefined => {
  const between = /^between (.+) and (.+)$/.exec(said);
  if (between !== null) return [between[1] ?? "", between[2] ?? ""];
  const plain = said.replace(/^from /, "");
  const words = / (?:to|until|till|-) /.exec(plain) ?? /(?<=:\d\d|am|pm)-(?=\d)/.exec(plain);
  if (words === null) return [plain, undefined];
  return [plain.slice(0, words.index), plain.slice(words.index + words[0].length)];
};

const wholePeriod = (said: string, now: number, calendar: Calendar): Range | undefined => {
  const { year, month, day, weekday } = calendar.parts(now);
  const monday = day - ((weekday + 6) % 7);
  switch (said) {
    case "today":
      return { from: new Date(calendar.at(year, month, day)).toISOString(), to: "" };
    case "this week":
      return { from: new Date(calendar.at(year, month, monday)).toISOString(), to: "" };
    case "last week":
      return absolute(calendar.at(year, month, monday - 7), calendar.at(year, month, monday));
    case "this month":
      return { from: new Date(calendar.at(year, month, 1)).toISOString(), to: "" };
    case "last month":
      return absolute(calendar.at(year, month - 1, 1), calendar.at(year, month, 1));
    default:
      return undefined;
  }
};

const clock = /^(?:at )?(\d{1,2})(?::(\d\d)(?::(\d\d))?)? ?(am|pm)?$/;
const stamp = /^\d{4}-\d\d-\d\dt\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:z|[+-]\d\d:\d\d)$/;

const spoken = (said: string, now: number, calendar: Calendar, day?: Day): Spoken | undefined => {
  if (stamp.test(said)) {
    const at = Date.parse(said.toUpperCase());
    return Number.isNaN(at) ? undefined : { from: at, to: at, day: calendar.parts(at) };
  }
  const today = calendar.parts(now);
  const time = readClock(said);
  if (time !== undefined) return moment(day ?? today, time, calendar);
  const [, dayText = "", timeText] =
    /^(.+?)(?:,? (?:at )?(\d{1,2}(?::\d\d(?::\d\d)?)? ?(?:am|pm)?))?$/.exec(said) ?? [];
  const found = readDay(dayText, today, calendar);
  if (found === undefined) return readMonthDay(said, today, calendar);
  if (timeText === undefined) {
    const to = calendar.at(found.year, found.month, found.day + 1);
    return { from: startOf(found, calendar), to, day: found };
  }
  const clockTime = readClock(timeText);
  return clockTime === undefined ? undefined : moment(found, clockTime, calendar);
};

/** "24 nov": its number would be taken for an hour above. */
const readMonthDay = (said: string, today: Day, calendar: Calendar): Spoken | undefined => {
  const found = readDay(said, today, calendar);
  if (found === undefined) return undefined;
  return { from: startOf(found, calendar), to: calendar.at(found.year, found.month, found.day + 1), day: found };
};

type Clock = readonly [hour: number, minute: number, second: number];

const readClock = (said: string): Clock | undefined => {
  const parts = clock.exec(said);
  if (parts === null) return undefined;
  const half = parts[4];
  const hour = (Number(parts[1]) % (half === undefined ? 100 : 12)) + (half === "pm" ? 12 : 0);
  const [minute, second] = [Number(parts[2] ?? 0), Number(parts[3] ?? 0)];
  if (half !== undefined && Number(parts[1]) > 12) return undefined;
  return hour > 24 || minute > 59 || second > 59 ? undefined : [hour, minute, second];
};

const moment = (day: Day, [hour, minute, second]: Clock, calendar: Calendar): Spoken => {
  const at = calendar.at(day.year, day.month, day.day, hour, minute, second);
  return { from: at, to: at, day };
};

const readDay = (said: string, today: Day & { weekday?: number }, calendar: Calendar): Day | undefined => {
  const back = (days: number): Day => calendar.parts(calendar.at(today.year, today.month, today.day - days, 12));
  if (said === "today") return today;
  if (said === "yesterday") return back(1);
  const weekday = weekdays.findIndex(
    (name) => name === said.replace(/^(?:last|on) /, "") || (said.length === 3 && name.startsWith(said)),
  );
  if (weekday !== -1) return back((((today.weekday ?? 0) - weekday + 6) % 7) + 1);
  const iso = /^(\d{4})-(\d\d)-(\d\d)$/.exec(said);
  const words = /^(\d{1,2})\.? ([a-z]{3,9})(?: (\d{4}))?$/.exec(said) ?? undefined;
  const turned = /^([a-z]{3,9}) (\d{1,2})(?:,? (\d{4}))?$/.exec(said) ?? undefined;
  const month = monthNames.indexOf((words?.[2] ?? turned?.[1] ?? "").slice(0, 3));
  if (iso === null && month === -1) return undefined;
  const wanted: Day =
    iso === null
      ? { year: Number(words?.[3] ?? turned?.[3] ?? today.year), month, day: Number(words?.[1] ?? turned?.[2]) }
      : { year: Number(iso[1]), month: Number(iso[2]) - 1, day: Number(iso[3]) };
  const real = calendar.parts(calendar.at(wanted.year, wanted.month, wanted.day, 12));
  return real.month === wanted.month && real.day === wanted.day ? wanted : undefined;
};
