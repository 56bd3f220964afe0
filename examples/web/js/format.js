// Times, numbers and names as people read them.

const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });
const MOMENT = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [7, "day"]];

/** "5 minutes ago" within a week, else "3 May 2026". */
export function when(time) {
  let amount = (new Date(time) - Date.now()) / 1000;
  for (const [size, unit] of STEPS) {
    if (Math.abs(amount) < size) return AGO.format(Math.round(amount), unit);
    amount /= size;
  }
  return DAY.format(new Date(time));
}

export const moment = (time) => MOMENT.format(new Date(time));
export const day = (time) => DAY.format(new Date(time));

/** "1 comment", "3 comments". */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** What somebody is called. */
export const nameOf = (user) => user.name || user.username;

/** One or two letters for a picture that is not there. */
export function initials(user) {
  const words = nameOf(user).split(/[\s_-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0] ?? "?"];
  return letters.map((word) => [...word][0].toUpperCase()).join("");
}

/** A number from 0 to 5, always the same one for a text. */
export function hueOf(text) {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + letter.codePointAt(0)) % 1_000_003;
  return sum % 6;
}

/** How long a text takes to read, at 230 words a minute. */
export function readingTime(text) {
  return `${Math.max(1, Math.round(text.split(/\s+/).length / 230))} min read`;
}
