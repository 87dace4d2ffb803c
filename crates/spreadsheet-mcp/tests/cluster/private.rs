//! A fork of one client alone, whose head goes back and forth: what it sees is what it did, whichever replica answers.

use serde_json::{Value, json};

use crate::{
    load::{Client, Ended, head_of},
    program::{fork_of, set},
    sheet,
};

impl Client<'_> {
    /// From making a fork to saving and dropping it.
    pub(crate) fn use_own_fork(&mut self) {
        self.edits += 1;
        let label = format!("own-{}-{}", self.number, self.edits);
        let created = self.must("create_fork", &json!({ "workbook": sheet::NAME, "label": label }));
        let fork = fork_of(Ok(created));
        for number in 1..=3 {
            let answer = self.must("edit_cells", &set(&fork, "Data!B2", number));
            assert_eq!(head_of(&answer), number, "{answer}");
        }
        self.check_own(&fork, 3);
        self.checkpoint(&fork, json!({ "action": "create", "name": "three" }), 3);
        self.checkpoint(&fork, json!({ "action": "undo", "steps": 2 }), 1);
        self.check_own(&fork, 1);
        self.checkpoint(&fork, json!({ "action": "redo" }), 2);
        self.check_own(&fork, 2);
        // What was undone stays; a new entry continues what is live.
        let answer = self.must("edit_cells", &set(&fork, "Data!B2", 4));
        assert_eq!(head_of(&answer), 4, "{answer}");
        self.check_own(&fork, 4);
        self.checkpoint(&fork, json!({ "action": "restore", "name": "three" }), 3);
        self.check_own(&fork, 3);

        let path = format!("{label}.xlsx");
        let saved = self.must("save_fork", &json!({ "fork": fork, "path": path, "recalculate": "never" }));
        assert_eq!(head_of(&saved), 3, "{saved}");
        self.check_own(&path, 3);
        self.must("discard_fork", &json!({ "fork": fork }));
        let gone = self.refusal("read_range", &json!({ "workbook": fork, "ranges": ["Data!B2"] }));
        assert_eq!(gone.code, "fork_not_found");
    }

    fn must(&mut self, tool: &str, arguments: &Value) -> Value {
        match self.insist(tool, arguments) {
            Ended::Done(answer) => answer,
            Ended::Refused | Ended::Unknown => panic!("{tool} {arguments}: {:?}", self.told()),
        }
    }

    fn checkpoint(&mut self, fork: &str, mut arguments: Value, head: u64) {
        arguments["fork"] = json!(fork);
        let answer = self.must("checkpoint", &arguments);
        assert_eq!(head_of(&answer), head, "{arguments}: {answer}");
    }

    fn check_own(&mut self, workbook: &str, expected: u64) {
        let answer = self.must("read_range", &json!({ "workbook": workbook, "ranges": ["Data!B2"] }));
        assert_eq!(answer["ranges"][0]["values"], json!([[expected]]), "{workbook}");
    }
}
