/** The query language on one page, for a reader that has not seen it. */
export const queryReference = `A query is words and conditions; a space between them means AND.

timeout refused                 messages with both words, in any ASCII case
"connection refused"            the words next to each other
conn*                           a word that begins so
service:checkout                the whole value of a field
service:api-*                   * stands for anything
level:>=warn                    warn, error and fatal; levels are trace debug info warn error fatal
status:>=500   ms:[100 TO 500]  attributes compare as numbers; [ ] include the ends, { } do not
user.plan:*                     events that have the field
(user:ann OR user:bo) -status:200   groups, OR, and NOT written as - or NOT
trace_id:4bf92f3577b34da6a3ce929d0e0e4736   everything of one trace

Fields of every event: service host level source message trace_id span_id timestamp. Anything else is an attribute by
its dotted path. Put values with spaces or signs in quotes: path:"/a b". Times for from and to: 2026-01-31T10:00:00Z or
-15m, -24h, -7d. What looks like [REDACTED…] was taken out before it was stored and cannot be had.`;
