/** @odoo-module ignore **/
/* The practitioner's pages work without this: it shows what was photographed, makes photos lighter, and asks for a
   reason only when something is unticked. */
(function () {
    "use strict";

    /** Longest side of a photo, in pixels: small print stays readable. */
    const LONGEST = 2200;

    document.documentElement.classList.add("hp-js");

    async function lighter(file) {
        if (!file.type.startsWith("image/") || file.size < 1500000 || !window.createImageBitmap) {
            return file;
        }
        const image = await createImageBitmap(file, { imageOrientation: "from-image" });
        const ratio = Math.min(1, LONGEST / Math.max(image.width, image.height));
        const canvas = document.createElement("canvas");
        canvas.width = Math.round(image.width * ratio);
        canvas.height = Math.round(image.height * ratio);
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
        return blob && blob.size < file.size ? new File([blob], "photo.jpg", { type: "image/jpeg" }) : file;
    }

    async function prepare(input) {
        try {
            const transfer = new DataTransfer();
            for (const file of input.files) {
                transfer.items.add(await lighter(file));
            }
            input.files = transfer.files;
        } catch {
            // the file goes as it is
        }
    }

    function show(form) {
        const box = form.querySelector(".hp-preview");
        box.querySelectorAll("img").forEach((image) => URL.revokeObjectURL(image.src));
        box.replaceChildren();
        const files = [...form.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]);
        for (const file of files) {
            if (file.type.startsWith("image/")) {
                const image = document.createElement("img");
                image.src = URL.createObjectURL(file);
                image.alt = file.name;
                box.append(image);
            } else {
                const name = document.createElement("p");
                name.textContent = file.name;
                box.append(name);
            }
        }
        box.hidden = !files.length;
        form.classList.toggle("hp-has-file", files.length > 0);
    }

    document.querySelectorAll("form.hp-form").forEach((form) => {
        const inputs = form.querySelectorAll("input[type=file]");
        inputs.forEach((input) =>
            input.addEventListener("change", async () => {
                const send = form.querySelector(".hp-send");
                send.disabled = true;
                await prepare(input);
                show(form);
                send.disabled = false;
                send.scrollIntoView({ block: "nearest" });
            })
        );
        const boxes = form.querySelectorAll("input[type=checkbox][name=fse]");
        const why = form.querySelector(".hp-why");
        if (boxes.length && why) {
            const follow = () => {
                why.hidden = [...boxes].every((box) => box.checked);
            };
            boxes.forEach((box) => box.addEventListener("change", follow));
            if (!form.querySelector("textarea").value) {
                follow();
            }
        }
        // one tap, one answer
        form.addEventListener("submit", (event) => {
            if (form.dataset.sent) {
                event.preventDefault();
            }
            form.dataset.sent = "1";
        });
    });
    // a page that the browser brings back may be answered again
    window.addEventListener("pageshow", () =>
        document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent)
    );
})();
