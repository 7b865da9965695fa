//! Several workers share a port.

#[cfg(target_os = "linux")]
mod linux {
    use crate::client::get;
    use crate::place::Place;
    use crate::program::{Program, until};

    /// The numbers and names of its threads.
    fn threads(program: &Program) -> Vec<(String, String)> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", program.pid())).unwrap();
        let tasks = tasks.filter_map(|task| {
            let task = task.unwrap();
            let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
            Some((task.file_name().into_string().unwrap(), name.trim_end().to_owned()))
        });
        let mut tasks: Vec<_> = tasks.filter(|(_, name)| name.starts_with("worker-")).collect();
        tasks.sort_by(|a, b| a.1.cmp(&b.1));
        tasks
    }

    /// How often a thread has gone to sleep.
    fn sleeps(program: &Program, task: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/task/{task}/status", program.pid())).unwrap();
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
        count.trim().parse().unwrap()
    }

    #[test]
    fn there_are_as_many_as_were_asked_for_and_all_of_them_serve() {
        let program = Place::empty().start(&["--workers", "3"]);
        let mut workers = Vec::new();
        until("all threads have begun", || {
            workers = threads(&program);
            workers.len() == 3
        });
        let names: Vec<_> = workers.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["worker-0", "worker-1", "worker-2"]);
        let before: Vec<_> = workers.iter().map(|(task, _)| sleeps(&program, task)).collect();
        // the kernel chooses a worker for each connection: that one of three is left out has a chance of 1 in 10^17
        for port in 1000..1100 {
            program.client().announce(1, port, "&numwant=0");
        }
        for ((task, name), before) in workers.iter().zip(before) {
            assert!(sleeps(&program, task) > before, "{name} has not been woken");
        }
        // and they share their swarms
        assert_eq!(program.client().scrape(1), [0, 0, 100]);
        assert_eq!(program.client().ask(get("/health")).status, 200);
        program.stop();
    }

    #[test]
    fn by_default_there_is_one_for_each_core() {
        let place = Place::empty();
        let program = Program::start(place.command(&["--listen", "127.0.0.1:0"]), 1);
        let cores = std::thread::available_parallelism().unwrap().get();
        until("all threads have begun", || threads(&program).len() == cores);
        program.stop();
    }
}
