//! `bench [SECTION]… [--book FOLDER]`: measures the named sections, or all but the weight. It
//! prints them, stores them in `figures.json`, and writes the page of all measured sections.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, error, fs};

use point_auth_bench::figures::{Figures, Section, Table};
use point_auth_bench::{chart, loopback, machine, page, sections};

type Failure = Box<dyn error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let (mut wanted, mut book) = (Vec::new(), None);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "serve" => {
                return Ok(loopback::serve(arguments.next().is_some_and(|next| next == "tls"))?);
            }
            "--book" => book = arguments.next().map(PathBuf::from),
            name => {
                let section = sections::ALL.iter().find(|section| section.name == name);
                wanted.push(section.ok_or_else(|| format!("there is no section `{name}`"))?);
            }
        }
    }
    if wanted.is_empty() {
        wanted.extend(sections::ALL.iter().filter(|section| !section.only_if_named));
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = workspace.join("figures.json");
    let mut figures = Figures::load(&file)?;
    let machine = machine::describe();
    println!("{machine}\n");
    for section in wanted {
        let tables: Vec<Table> = (section.measure)(workspace)?;
        for table in &tables {
            println!("{}\n\n{}", table.title, table.markdown());
        }
        figures.set(section.name, Section { machine: machine.clone(), tables });
        // At once, so that a section that fails does not lose the ones before it.
        figures.save(&file)?;
    }
    match book {
        Some(book) => write_page(&figures, workspace, &book),
        None => Ok(()),
    }
}

/// `performance.md` and its charts.
fn write_page(figures: &Figures, workspace: &Path, book: &Path) -> Result<(), Failure> {
    let charts = book.join("performance");
    fs::create_dir_all(&charts)?;
    for one in figures.charts() {
        chart::draw(one, &charts.join(format!("{}.svg", one.file)))?;
    }
    fs::write(book.join("performance.md"), page::render(figures, workspace))?;
    println!("wrote {}", book.join("performance.md").display());
    Ok(())
}
