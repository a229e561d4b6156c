"""What is measured: `./dev bench`. Results and their commands are in bench/README.md."""
