/* Comforts of the patient's page; everything works without them. */
(() => {
    "use strict";

    const ready = () => {
        for (const button of document.querySelectorAll("[data-hc-print]")) {
            button.hidden = false;
            button.addEventListener("click", () => window.print());
        }
        if (navigator.clipboard) {
            for (const button of document.querySelectorAll("[data-hc-copy]")) {
                const words = button.textContent;
                button.hidden = false;
                button.addEventListener("click", async () => {
                    await navigator.clipboard.writeText(button.dataset.hcCopy);
                    button.textContent = "✓";
                    button.setAttribute("aria-live", "polite");
                    setTimeout(() => (button.textContent = words), 2000);
                });
            }
        }
        // one send per press: a slow connection invites a second one
        for (const form of document.querySelectorAll(".hc-form")) {
            form.addEventListener("submit", (event) => {
                if (form.dataset.sent) {
                    event.preventDefault();
                }
                form.dataset.sent = "1";
                setTimeout(() => delete form.dataset.sent, 15000);
            });
        }
        // Odoo's payment form: the picture beside a name says nothing more, a warning sign says something
        for (const picture of document.querySelectorAll(".hc-pay img")) {
            picture.alt = "";
        }
        for (const sign of document.querySelectorAll(".hc-pay [data-bs-toggle="tooltip"]")) {
            sign.setAttribute("role", "img");
        }
        document.getElementById("hc-error")?.focus();
    };
    if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", ready);
    } else {
        ready();
    }
})();
