// The blocks of Markdown (https://spec.commonmark.org/0.31.2/, with tables as GitHub has them): paragraphs, lists, quotations,
// code, headings and tables. Plain data; code that is indented, setext headings and references are none, since models hardly
// write them, and text that looks like them by chance is frequent.

const MAX_DEPTH = 12;  // of lists and quotations inside one another
// Of a table: each row has as many cells as its head, so a long head over many short rows is more than was written. What is
// beyond stays text.
const MAX_COLUMNS = 200, MAX_CELLS = 50_000;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?: +|$)/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]|$)/;
const QUOTE = /^ {0,3}> ?/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const TABLE_RULE = /^[ |:-]+$/;

const isBlank = (line) => line.trim() === '';
const indentOf = (line) => line.length - line.trimStart().length;
const isRule = (line) => line.length < 200 && RULE.test(line);
const isTableRule = (line) => line !== undefined && line.includes('|') && line.includes('-') && TABLE_RULE.test(line);

// The marks of a fence that opens, and what is said behind them; null where there is none. Behind backticks may be no others.
function fenceOf(line) {
  const found = FENCE.exec(line);
  if (!found) return null;
  const info = line.slice(found[0].length);
  return found[1][0] === '`' && info.includes('`') ? null : {mark: found[1], info};
}

function startsBlock(line) {
  const item = ITEM.exec(line);
  return fenceOf(line) !== null || HEADING.test(line) || QUOTE.test(line) || isRule(line) ||
    (item !== null && item[0].length < line.length && !/^(?!1[.)])\d/.test(item[2]));
}

// Each reader takes the lines from `i` on, and gives a block with the number of the line behind it.

function readFence(lines, i) {
  const {mark, info} = fenceOf(lines[i]);
  const indent = indentOf(lines[i]);
  const code = [];
  for (let at = i + 1; at < lines.length; ++at) {
    const line = lines[at].trim();
    if (line.length >= mark.length && indentOf(lines[at]) < 4 && line === mark[0].repeat(line.length))
      return {kind: 'code', language: info.trim(), text: code.join('\n'), end: at + 1};
    code.push(lines[at].slice(Math.min(indent, indentOf(lines[at]))));
  }
  return {kind: 'code', language: info.trim(), text: code.join('\n'), end: lines.length};
}

function readHeading(lines, i) {
  const level = HEADING.exec(lines[i])[1].length;
  const text = lines[i].trim().slice(level).trim();
  const end = text.length - /#*$/.exec(text.slice(-10))[0].length;
  return {kind: 'heading', level, text: text.slice(0, end).trim(), end: i + 1};
}

function readQuote(lines, i, depth) {
  const inner = [];
  for (; i < lines.length && QUOTE.test(lines[i]); ++i) inner.push(lines[i].replace(QUOTE, ''));
  return {kind: 'quote', blocks: blocksOf(inner, depth + 1), end: i};
}

function readList(lines, i, depth) {
  const [, space, mark] = ITEM.exec(lines[i]);
  const ordered = /\d/.test(mark);
  const list = {kind: 'list', ordered, start: ordered ? parseInt(mark, 10) : 1, items: []};
  const isItem = (line) => {
    const found = ITEM.exec(line);
    return found && found[1].length < space.length + 2 && /\d/.test(found[2]) === ordered && !isRule(line) ? found : null;
  };
  for (let item; i < lines.length && (item = isItem(lines[i]));) {
    const width = Math.min(item[0].length, item[1].length + item[2].length + 1);
    const inner = [lines[i].slice(item[0].length)];
    const belongs = (at) => indentOf(lines[at]) >= space.length + 2 ||
      (!isBlank(lines[at - 1]) && !isItem(lines[at]) && !startsBlock(lines[at]));
    for (++i; i < lines.length; ++i) {
      let next = i;
      while (next < lines.length && isBlank(lines[next])) ++next;
      if (next === lines.length || (next > i ? indentOf(lines[next]) < space.length + 2 : !belongs(i))) break;
      for (; i < next; ++i) inner.push('');
      inner.push(lines[i].slice(Math.min(width, indentOf(lines[i]))));
    }
    list.items.push(blocksOf(inner, depth + 1));
    let next = i;
    while (next < lines.length && isBlank(lines[next])) ++next;
    if (next < lines.length && isItem(lines[next])) i = next;
  }
  return {...list, end: i};
}

function cellsOf(line) {
  let text = line.trim();
  if (text.startsWith('|')) text = text.slice(1);
  if (text.endsWith('|') && !text.endsWith('\\|')) text = text.slice(0, -1);
  return text.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function readTable(lines, i) {
  const align = cellsOf(lines[i + 1]).map((cell) =>
    cell.endsWith(':') ? (cell.startsWith(':') ? 'center' : 'end') : 'start');
  const table = {kind: 'table', align, head: cellsOf(lines[i]), rows: []};
  const most = MAX_CELLS / table.head.length;
  for (i += 2; i < lines.length && lines[i].includes('|') && table.rows.length < most; ++i) table.rows.push(cellsOf(lines[i]));
  return {...table, end: i};
}

function readParagraph(lines, i) {
  const text = [lines[i].trim()];
  for (++i; i < lines.length && !isBlank(lines[i]) && !startsBlock(lines[i]); ++i) text.push(lines[i].trimStart());
  return {kind: 'paragraph', text: text.join('\n'), end: i};
}

function readBlock(lines, i, depth) {
  const line = lines[i];
  if (fenceOf(line)) return readFence(lines, i);
  if (HEADING.test(line)) return readHeading(lines, i);
  if (isRule(line)) return {kind: 'rule', end: i + 1};
  if (depth < MAX_DEPTH && QUOTE.test(line)) return readQuote(lines, i, depth);
  if (depth < MAX_DEPTH && ITEM.test(line)) return readList(lines, i, depth);
  if (line.includes('|') && isTableRule(lines[i + 1]) && cellsOf(line).length <= MAX_COLUMNS) return readTable(lines, i);
  return readParagraph(lines, i);
}

/** The blocks of a text's lines, each with a `kind`; those of the outermost level with the text that they were made of. */
export function blocksOf(lines, depth = 0) {
  const blocks = [];
  for (let i = 0; i < lines.length;) {
    if (isBlank(lines[i])) {
      ++i;
      continue;
    }
    const block = readBlock(lines, i, depth);
    block.raw = depth === 0 ? lines.slice(i, block.end).join('\n') : '';
    i = block.end;
    blocks.push(block);
  }
  return blocks;
}
