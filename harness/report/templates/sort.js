"use strict";
// Without this script the table is a plain table: it adds buttons to the headings, a search field and filters.
for (const table of document.querySelectorAll("table.class")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const values = rows.map((row) => [...row.cells].map((cell) => cell.dataset.value));
  const words = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  function sortBy(column) {
    const heading = headings[column];
    const numeric = heading.dataset.sort === "number";
    const was = heading.getAttribute("aria-sort");
    const first = numeric && heading.dataset.first !== "ascending" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = was === first ? other : first;
    for (const one of headings) one.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order);
    const keys = values.map((cells) => cells[column]);
    const compare = numeric ? (a, b) => keys[a] - keys[b] : (a, b) => words.compare(keys[a], keys[b]);
    const known = [...rows.keys()].filter((index) => keys[index] !== "").sort(compare);
    if (order === "descending") known.reverse();
    const unknown = [...rows.keys()].filter((index) => keys[index] === "");
    body.replaceChildren(...[...known, ...unknown].map((index) => rows[index]));
  }

  headings.forEach((heading, column) => {
    if (!heading.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(column));
    heading.append(button);
  });

  const field = document.querySelector("input[type=search]");
  const shown = document.querySelector("output");
  const filters = [...document.querySelectorAll(".tools select")].map((select) => {
    const of = select.dataset.of;
    const has = rows.map((row) => row.querySelector(`[data-${of}]`).dataset[of].split(" ").filter(Boolean));
    for (const value of [...new Set(has.flat())].sort()) {
      const name = value.replaceAll("-", " ");
      select.add(new Option(name[0].toUpperCase() + name.slice(1), value));
    }
    select.addEventListener("change", show);
    return { select, has };
  });

  function show() {
    const words = field.value.toLowerCase().split(/\s+/);
    let count = 0;
    rows.forEach((row, index) => {
      const wanted = filters.every(({ select, has }) => !select.value || has[index].includes(select.value));
      const text = row.textContent.toLowerCase();
      row.hidden = !(wanted && words.every((word) => text.includes(word)));
      count += !row.hidden;
    });
    shown.value = count === rows.length ? "" : `${count} / ${rows.length}`;
  }

  for (const one of [field, ...filters.map(({ select }) => select)]) one.closest("label").hidden = false;
  field.addEventListener("input", show);
}
