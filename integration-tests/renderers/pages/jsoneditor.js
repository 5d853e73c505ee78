// The form as a platform with json-editor would draw it: from the schema alone.
import { JSONEditor } from "@json-editor/json-editor";

const get = async (path) => (await fetch(path)).json();
Promise.all([get("schema.json"), get("stored.json")]).then(async ([schema, stored]) => {
  const editor = new JSONEditor(window.form, { schema, theme: "html", disable_edit_json: true, disable_properties: true });
  await editor.promise;
  // Not as startval, which would hide every optional field that the document lacks.
  for (const [key, value] of Object.entries(stored)) editor.getEditor("root." + key)?.setValue(value);
  const show = () => (window.shown = editor.getValue());
  editor.on("change", show);
  show();
  const save = document.createElement("button");
  save.id = "save";
  save.innerText = "Save";
  save.addEventListener("click", () => {
    // Without an argument, validate gives what it found when the page was last drawn.
    const value = editor.getValue();
    const errors = editor.validate(value);
    if (errors.length) window.refused = errors.map((e) => e.path + " " + e.message);
    else window.submitted = value;
  });
  window.form.append(save);
});
